import { readU64 } from '../../base/little-endian.js';
import { failed, ok, type Result } from '../../base/result.js';
import type { ReadBytes } from '../foreign-signature.js';
import { hasBytesAt, latin1 } from '../magic-signature.js';
import { viewOf } from '../sealed-block.js';
import type { ModuleRemap, SectorSpan } from './module-remap.js';

/**
 * The record of the module's version 3: one copy, whose checksum never fits, not even when the module has just
 * written it (it is taken before the header is complete). So nothing shows damage but the numbers themselves: this is
 * a best effort. Undefined where there is no such record.
 * Source: struct dm_remap_metadata_header, dm-remap-metadata.h at commit 1b24526 of the module; a sample image.
 */
export function decodeV3(read: ReadBytes): Result<V3Record, V3Problem> | undefined {
  if (!hasBytesAt(read, 0, MAGIC)) return undefined;
  const header = read(0, HEADER_BYTES);
  if (header === undefined) return failed('unreadable');
  const view = viewOf(header);
  if (view.getUint32(8, true) !== 1) return failed('otherVersion');
  const entryCount = view.getUint32(32, true);
  if (entryCount > V3_MAX_REMAPS) return failed('badCount');
  const entries = read(ENTRIES_AT, entryCount * ENTRY_BYTES);
  if (entries === undefined) return failed('unreadable');
  return ok({
    updatedSeconds: readU64(view, 24),
    mainSectors: readU64(view, 40),
    spareSectors: readU64(view, 48),
    state: STATES[view.getUint32(56, true)] ?? 'unknown',
    remaps: Array.from({ length: entryCount }, (_, index) => entryAt(viewOf(entries), index)),
  });
}

export interface V3Record {
  readonly updatedSeconds: number;
  readonly mainSectors: number;
  readonly spareSectors: number;
  /** What the module says of itself. */
  readonly state: 'clean' | 'dirty' | 'writing' | 'error' | 'unknown';
  readonly remaps: readonly ModuleRemap[];
}

export type V3Problem = 'unreadable' | 'otherVersion' | 'badCount';

function entryAt(view: DataView, index: number): ModuleRemap {
  const mainSector = readU64(view, index * ENTRY_BYTES);
  const spareSector = readU64(view, index * ENTRY_BYTES + 8);
  // The header is 4104 bytes long, not 4096: its last eight, which are zero, fall onto the first entry's main sector.
  const isSpilledOver = index === 0 && mainSector === 0;
  const doubts: ModuleRemap['doubts'] = isSpilledOver ? ['overwrittenByHeader'] : [];
  return { mainSector, spareSector, state: 'unknown', timeSeconds: 0, copies: [0], doubts };
}

/** Header and 252 entries, to the end of the last sector. */
export const V3_METADATA: SectorSpan = { firstSector: 0, sectorCount: 16 };
export const V3_MAX_REMAPS = 252;

const MAGIC = latin1('DMREMAP3');
const HEADER_BYTES = 4096;
const ENTRIES_AT = 4096;
const ENTRY_BYTES = 16;
const STATES = ['clean', 'dirty', 'writing', 'error'] as const;
