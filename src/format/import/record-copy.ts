import { readU64 } from '../../base/little-endian.js';
import { viewOf } from '../sealed-block.js';
import { moduleChecksum } from './module-checksum.js';
import type { ModuleRemap } from './module-remap.js';
import { isScriptRecord } from './script-record.js';

/**
 * Judges the `V4_RECORD_BYTES` bytes of one copy as the module's own reader does: magic, version, checksum, number of
 * remaps, health score. Its rule about time stamps is left to the choice among copies (`five-copy-record.ts`).
 * Source: struct dm_remap_metadata_v4, src/dm-remap-v4.h of the module.
 */
export function decodeV4Copy(bytes: Uint8Array): V4Copy {
  if (bytes.length !== V4_RECORD_BYTES) return { state: 'unreadable' };
  const view = viewOf(bytes);
  if (view.getUint32(MAGIC_AT, true) !== V4_MAGIC) {
    return { state: bytes.every((byte) => byte === 0) ? 'blank' : 'noRecord' };
  }
  if (isScriptRecord(bytes)) return { state: 'scriptRecord' };
  if (view.getUint32(VERSION_AT, true) !== V4_VERSION) return { state: 'otherVersion' };
  if (view.getUint32(CHECKSUM_AT, true) !== checksumOf(bytes)) return { state: 'badChecksum' };
  const remapCount = view.getUint32(ACTIVE_REMAPS_AT, true);
  if (remapCount > V4_MAX_REMAPS) return { state: 'badCount' };
  if (view.getUint32(HEALTH_AT, true) > 100) return { state: 'badHealth' };
  return {
    state: 'good',
    sequence: readU64(view, SEQUENCE_AT),
    timeSeconds: readU64(view, TIME_AT),
    mainSectors: readU64(view, MAIN_SECTORS_AT),
    spareSectors: readU64(view, SPARE_SECTORS_AT),
    sectorBytes: view.getUint32(SECTOR_BYTES_AT, true),
    remaps: Array.from({ length: remapCount }, (_, index) => entryAt(view, index)),
  };
}

export type V4Copy = GoodV4Copy | { readonly state: Exclude<V4CopyState, 'good'> };

export interface GoodV4Copy {
  readonly state: 'good';
  /** Starts anew whenever the module is loaded. */
  readonly sequence: number;
  readonly timeSeconds: number;
  /** Of the whole disk, even if a partition was used. */
  readonly mainSectors: number;
  readonly spareSectors: number;
  readonly sectorBytes: number;
  readonly remaps: readonly V4Entry[];
}

export type V4Entry = Omit<ModuleRemap, 'copies' | 'doubts'>;

export type V4CopyState =
  | 'good'
  /** All zero. */
  | 'blank'
  /** Something that is not the module's. */
  | 'noRecord'
  /** Overwritten by the shell tool of the module (`script-record.ts`). */
  | 'scriptRecord'
  | 'otherVersion'
  | 'badChecksum'
  | 'badCount'
  | 'badHealth'
  /** Also where the device ends before it does. */
  | 'unreadable';

/** Bytes 0 to 23 and 28 to the end: the checksum itself is left out, not taken as zero. */
function checksumOf(bytes: Uint8Array): number {
  return moduleChecksum(bytes.subarray(CHECKSUM_AT + 4), moduleChecksum(bytes.subarray(0, CHECKSUM_AT)));
}

function entryAt(view: DataView, index: number): V4Entry {
  const at = ENTRIES_AT + index * ENTRY_BYTES;
  const flags = view.getUint16(at + 34, true);
  return {
    mainSector: readU64(view, at),
    spareSector: readU64(view, at + 8),
    timeSeconds: secondsOf(view.getUint32(at + 16, true), view.getUint32(at + 20, true)),
    state: STATE_OF_FLAGS[flags] ?? 'unknown',
  };
}

/** From nanoseconds in two halves; their sum is beyond 2^53, but to the second it is right. */
function secondsOf(low: number, high: number): number {
  return Math.floor(high * (2 ** 32 / 1e9) + low / 1e9);
}

export const V4_RECORD_BYTES = 84288;
export const V4_MAX_REMAPS = 2048;
/** In memory `4RMD`. */
export const V4_MAGIC = 0x444d_5234;
export const V4_VERSION = 4;

const STATE_OF_FLAGS: Readonly<Record<number, ModuleRemap['state']>> = { 1: 'pending', 2: 'active' };

const MAGIC_AT = 0x00;
const VERSION_AT = 0x04;
const SEQUENCE_AT = 0x08;
const TIME_AT = 0x10;
const CHECKSUM_AT = 0x18;
const MAIN_SECTORS_AT = 0x78;
const SPARE_SECTORS_AT = 0x80;
const SECTOR_BYTES_AT = 0x88;
const HEALTH_AT = 0x100;
const ACTIVE_REMAPS_AT = 0x128;
const ENTRIES_AT = 0x138;
const ENTRY_BYTES = 40;
