import type { ColdContext, Scratch } from './cold-context.js';
import { readWithSalvage } from './cold-read.js';
import type { Procedure } from './effect.js';
import { MAIN, perform, spareTarget } from './effect.js';
import { classifyError } from './error-policy.js';
import { COPY_PIECE_BYTES, REGION_BYTES } from './limits.js';
import { writeReplacement } from './mirror.js';
import { RegionFlag } from './region-filter.js';
import { isMediaClass } from './retry.js';
import { stretchesOf } from './salvage.js';
import type { ByteRange, Segment } from './segments.js';
import { existingMask, segmentsOf } from './segments.js';

/**
 * Copies one region of the set to the replacement of its main device, what lives on spares from there. From the first
 * call on, writes to the region go to both. `quick`: one read of each stretch, and no second one where that fails.
 * `thorough`: in small pieces, and what fails unit by unit as if somebody had asked for it: with retries, bad units move to
 * a spare, and blocks that are gone are remembered as lost. A lost block is zero on the replacement.
 */
export function* copyRegion(
  context: ColdContext,
  room: CopyRoom,
  region: number,
  effort: 'quick' | 'thorough',
): Procedure<CopyReport> {
  const offsetBytes = region * REGION_BYTES;
  const lengthBytes = Math.min(REGION_BYTES, context.shape.mainSizeBytes - offsetBytes);
  context.filter.set(offsetBytes, lengthBytes, RegionFlag.mirrored);
  if (effort === 'thorough') return yield* copyInPieces(context, room, offsetBytes, lengthBytes);
  const outcome = yield* copyRange(context, room, offsetBytes, lengthBytes, readOnce);
  return { outcome, unreadableUnits: [] };
}

/** Copies again what lives on spares of a region, with the same care as a thorough copy, and leaves the rest as it is. */
export function* copyUnitsOnSpares(
  context: ColdContext,
  room: CopyRoom,
  offsetBytes: number,
  lengthBytes: number,
): Procedure<CopyReport> {
  const unreadableUnits: number[] = [];
  const isOnSpare = (unit: number): boolean => context.table.find(unit) !== -1;
  const outcome = yield* copyUnits(context, room, offsetBytes, lengthBytes, unreadableUnits, isOnSpare);
  if (outcome !== 'copied') return { outcome, unreadableUnits: [] };
  return reportOf(unreadableUnits);
}

/** Memory of one copier. */
export interface CopyRoom {
  /** `REGION_BYTES` of room. */
  readonly bufferOffset: number;
  readonly scratch: Scratch;
}

export type CopyOutcome =
  | 'copied'
  /** Something of it could not be read, and can't be remembered as lost either. */
  | 'unreadable'
  /** A device of the set does not answer: says nothing about its sectors. */
  | 'away'
  /** The replacement did not take it (`Mirror.failure`), or there is none any more. */
  | 'refused';

export interface CopyReport {
  readonly outcome: CopyOutcome;
  /** Only of a thorough copy: what its outcome `unreadable` is about. */
  readonly unreadableUnits: readonly number[];
}

function* copyInPieces(
  context: ColdContext,
  room: CopyRoom,
  offsetBytes: number,
  lengthBytes: number,
): Procedure<CopyReport> {
  const unreadableUnits: number[] = [];
  const end = offsetBytes + lengthBytes;
  for (let at = offsetBytes; at < end; at += COPY_PIECE_BYTES) {
    const pieceBytes = Math.min(COPY_PIECE_BYTES, end - at);
    let outcome = yield* copyRange(context, room, at, pieceBytes, readOnce);
    if (outcome === 'unreadable') outcome = yield* copyUnits(context, room, at, pieceBytes, unreadableUnits);
    if (outcome !== 'copied') return { outcome, unreadableUnits: [] };
  }
  return reportOf(unreadableUnits);
}

/** Of a copy that came to its end. */
function reportOf(unreadableUnits: readonly number[]): CopyReport {
  return { outcome: unreadableUnits.length === 0 ? 'copied' : 'unreadable', unreadableUnits };
}

/** Goes on behind a unit that can't be had. */
function* copyUnits(
  context: ColdContext,
  room: CopyRoom,
  offsetBytes: number,
  lengthBytes: number,
  unreadableUnits: number[],
  isWanted: (unit: number) => boolean = () => true,
): Procedure<CopyOutcome> {
  const { unitBytes } = context.shape;
  const lastUnit = Math.floor((offsetBytes + lengthBytes - 1) / unitBytes);
  for (let unit = Math.floor(offsetBytes / unitBytes); unit <= lastUnit; unit += 1) {
    if (!isWanted(unit)) continue;
    const unitLengthBytes = context.shape.unitLengthBytes(unit);
    const outcome = yield* copyRange(context, room, unit * unitBytes, unitLengthBytes, readUnit);
    if (outcome === 'unreadable') unreadableUnits.push(unit);
    else if (outcome !== 'copied') return outcome;
  }
  return 'copied';
}

type ReadRange = (context: ColdContext, room: CopyRoom, range: ByteRange) => Procedure<CopyOutcome>;

/** No request is under way in the range meanwhile: what comes later finds its region mirrored. */
function* copyRange(
  context: ColdContext,
  room: CopyRoom,
  offsetBytes: number,
  lengthBytes: number,
  read: ReadRange,
): Procedure<CopyOutcome> {
  const { unitBytes } = context.shape;
  const memoryOffset = room.bufferOffset;
  const firstUnit = Math.floor(offsetBytes / unitBytes);
  const lastUnit = Math.floor((offsetBytes + lengthBytes - 1) / unitBytes);
  const lockId = yield* perform({ kind: 'lock', firstUnit, lastUnit });
  let outcome = yield* read(context, room, { offsetBytes, lengthBytes, memoryOffset });
  if (outcome === 'copied' && !(yield* writeReplacement(context, offsetBytes, lengthBytes, memoryOffset)))
    outcome = 'refused';
  yield* perform({ kind: 'unlock', lockId });
  return outcome;
}

/** One read of each stretch into the memory of the range, whose lock the caller holds; no second one where that fails. */
export function* readOnce(context: ColdContext, _room: CopyRoom, range: ByteRange): Procedure<CopyOutcome> {
  if (context.breaker.stopsReads) return 'away';
  for (const segment of segmentsOf(context, range)) {
    if (segment.spareUnit !== -1 && context.table.lostMask(segment.spareUnit) !== 0) return 'unreadable';
    const { lengthBytes, memoryOffset } = segment;
    const result = yield* perform({ kind: 'read', ...placeOf(context, segment), lengthBytes, memoryOffset });
    if (result >= 0) continue;
    const errorClass = classifyError(-result, 'read');
    return isMediaClass(errorClass) || errorClass === 'transient' ? 'unreadable' : 'away';
  }
  return 'copied';
}

function placeOf({ shape }: ColdContext, { spareUnit, offsetBytes }: Segment): ReadPlace {
  if (spareUnit === -1) return { target: MAIN, offsetBytes };
  const within = offsetBytes % shape.unitBytes;
  return { target: shape.targetOf(spareUnit), offsetBytes: shape.spareOffsetBytes(spareUnit) + within };
}

interface ReadPlace {
  readonly target: number;
  readonly offsetBytes: number;
}

/** One whole unit. What is lost of it is zero; blocks that turn out to be lost as well are remembered as that first. */
function* readUnit(context: ColdContext, room: CopyRoom, range: ByteRange): Procedure<CopyOutcome> {
  const { memory, shape, breaker } = context;
  // Zeroes for what could not be remembered as lost would be data on the replacement.
  const strict = { ...context, lostReadsAsZero: false };
  const mainUnit = range.offsetBytes / shape.unitBytes;
  for (;;) {
    const lostMask = lostMaskOf(context, mainUnit);
    memory.fill(0, range.memoryOffset, range.memoryOffset + range.lengthBytes);
    const wantedMask = (existingMask(context, mainUnit) & ~lostMask) >>> 0;
    if (yield* readBlocks(strict, room, range, wantedMask)) return 'copied';
    if (breaker.stopsReads || isAnySpareGone(context)) return 'away';
    if (lostMaskOf(context, mainUnit) === lostMask) return 'unreadable';
  }
}

/** Apart from those that are lost: a read that includes one of them ends before it has looked at the others. */
function* readBlocks(
  context: ColdContext,
  { scratch }: CopyRoom,
  range: ByteRange,
  wantedMask: number,
): Procedure<boolean> {
  const { logicalBlockBytes } = context.shape;
  for (const { firstBlock, blockCount } of stretchesOf(wantedMask)) {
    const part = {
      offsetBytes: range.offsetBytes + firstBlock * logicalBlockBytes,
      lengthBytes: blockCount * logicalBlockBytes,
      memoryOffset: range.memoryOffset + firstBlock * logicalBlockBytes,
    };
    if ((yield* readWithSalvage(context, scratch, part)) !== 0) return false;
  }
  return true;
}

/** It may be needed to read a unit, or to remember what is lost of one. */
function isAnySpareGone({ shape, isGone }: ColdContext): boolean {
  return shape.spares.some((_, index) => isGone(spareTarget(index)));
}

function lostMaskOf({ table }: ColdContext, mainUnit: number): number {
  const spareUnit = table.find(mainUnit);
  return spareUnit === -1 ? 0 : table.lostMask(spareUnit);
}
