import { assert } from '../base/assert.js';
import { failed, ok, type Result } from '../base/result.js';
import { newCounters } from '../engine/counters.js';
import { DeviceShape } from '../engine/device-shape.js';
import type { Procedure, Target } from '../engine/effect.js';
import { perform, spareTarget } from '../engine/effect.js';
import { SpareAllocator } from '../engine/spare-allocator.js';
import type { ImportUnit } from '../format/import/plan-import-units.js';
import { pageOfUnit } from '../format/layout.js';
import { reservedUnitRanges } from '../format/reserved-units.js';
import type { Superblock } from '../format/superblock.js';
import type { IoMemory } from '../ports/io-memory.js';
import { findSuperblock } from './find-superblock.js';
import { writeFirstSuperblocks } from './format-set.js';
import { type GatheredUnit, type GatherFailure, gatherUnit } from './gather-unit.js';
import { scanAnchors, wipeAnchors } from './wipe-anchors.js';
import { type PlacedUnit, writeImportedMap } from './write-imported-map.js';

/**
 * Makes the new spare into one of a new set in which these units are mapped, with their data. Nothing is written
 * before everything is read. Then: anchors are zeroed, data, empty pages, pages, each durable before the next and
 * read back; superblocks last. So a run that ends anywhere leaves no set at all, or the whole one.
 *
 * Targets: the main device, spare 0, and the module's spare, which like the main device is only read.
 */
export function* importSet(input: ImportSetInput): Procedure<Result<ImportedUnit[], ImportSetFailure>> {
  assert(input.units.length > 0, 'a set without remaps is made by formatting');
  const shape = new DeviceShape(input.superblock);
  const gathered: GatheredUnit[] = [];
  for (const unit of input.units) {
    const { oldSpare, memory, bufferOffset } = input;
    const counters = newCounters();
    const one = yield* gatherUnit({ shape, counters, oldSpare, memory: memory.bytes, bufferOffset }, unit);
    if (!one.ok) return one;
    gathered.push(one.value);
    input.noteRead(gathered.length);
  }
  const placed = placeUnits(input.superblock, shape, gathered);
  if (placed === undefined) return failed({ kind: 'noRoom' });
  const written = yield* writeSet(input, shape, placed);
  return written === undefined ? ok(placed) : failed(written);
}

export interface ImportSetInput {
  /** The first one of the set, of one spare. */
  readonly superblock: Superblock;
  readonly units: readonly ImportUnit[];
  readonly oldSpare: { readonly target: Target; readonly sizeBytes: number };
  /** Called after each unit that was read, the slow part on a disk that is failing. */
  readonly noteRead: (unitCount: number) => void;
  readonly memory: IoMemory;
  /** Room for `RECOVERY_READ_BYTES` of each copy. */
  readonly bufferOffset: number;
}

export type ImportedUnit = GatheredUnit & PlacedUnit;

export type ImportSetFailure =
  | GatherFailure
  /** More units than the new spare can hold. */
  | { readonly kind: 'noRoom' }
  | NewSpareFailure;

/** `what` could not be written to the new spare, or not be read back as it was written. */
export interface NewSpareFailure {
  readonly kind: 'newSpareFails';
  readonly what: 'anchors' | 'data' | 'pages' | 'superblocks';
}

/** The lowest spare units that may hold data, in order; undefined if there are too few. */
function placeUnits(
  superblock: Superblock,
  shape: DeviceShape,
  gathered: readonly GatheredUnit[],
): ImportedUnit[] | undefined {
  const allocator = new SpareAllocator(shape.spareUnitCount);
  for (const { firstUnit, unitCount } of reservedUnitRanges(superblock)) {
    allocator.takeRange(firstUnit, unitCount);
  }
  const placed = gathered.map((unit) => ({
    ...unit,
    spareUnit: allocator.allocate(),
    lostMask: (unit.lostOnMainMask | unit.lostOnSpareMask) >>> 0,
  }));
  return placed.some(({ spareUnit }) => spareUnit === -1) ? undefined : placed;
}

/** Undefined when all of it is durable and was read back. */
function* writeSet(
  input: ImportSetInput,
  shape: DeviceShape,
  units: readonly ImportedUnit[],
): Procedure<NewSpareFailure | undefined> {
  const { superblock, memory, bufferOffset } = input;
  const fails = (what: NewSpareFailure['what']): NewSpareFailure => ({ kind: 'newSpareFails', what });
  const anchors = yield* scanAnchors({ superblock, memory, readOffset: bufferOffset });
  if (!(yield* wipeAnchors({ superblock, memory, writeOffset: bufferOffset }, anchors)))
    return fails('anchors');
  if (!(yield* writeData(input, shape, units))) return fails('data');
  const pageCount = Math.max(0, ...units.map(({ spareUnit }) => pageOfUnit(spareUnit) + 1));
  const first = superblock.spares[0]!;
  const complete = { ...superblock, spares: [{ ...first, initialisedPageCount: pageCount }] };
  if (!(yield* writeImportedMap({ superblock: complete, memory, bufferOffset }, units)))
    return fails('pages');
  const errno = yield* writeFirstSuperblocks(complete, memory, bufferOffset);
  const devices = [{ target: NEW_SPARE, sizeBytes: first.sizeBytes }];
  const found = yield* findSuperblock({ devices, memory, bufferOffset });
  return errno === 0 && found.ok && found.value.repairs.length === 0 ? undefined : fails('superblocks');
}

function* writeData(
  { memory, bufferOffset }: ImportSetInput,
  shape: DeviceShape,
  units: readonly ImportedUnit[],
): Procedure<boolean> {
  const transfer = (kind: 'read' | 'write', { spareUnit, bytes }: ImportedUnit) =>
    ({
      kind,
      target: NEW_SPARE,
      offsetBytes: shape.spareOffsetBytes(spareUnit),
      lengthBytes: bytes.length,
      memoryOffset: bufferOffset,
    }) as const;
  for (const unit of units) {
    memory.bytes.set(unit.bytes, bufferOffset);
    if ((yield* perform(transfer('write', unit))) < 0) return false;
  }
  if ((yield* perform({ kind: 'flush', target: NEW_SPARE })) < 0) return false;
  for (const unit of units) {
    memory.bytes.fill(0xa5, bufferOffset, bufferOffset + unit.bytes.length);
    if ((yield* perform(transfer('read', unit))) < 0) return false;
    const readBack = memory.bytes.subarray(bufferOffset, bufferOffset + unit.bytes.length);
    if (!unit.bytes.every((byte, index) => readBack[index] === byte)) return false;
  }
  return true;
}

const NEW_SPARE = spareTarget(0);
