import { ERRNO } from '../base/errno.js';
import { DescriptorReason, DescriptorState } from '../format/descriptor-page.js';
import { bitCount } from './bit-count.js';
import type { ColdContext, PendingChanges, Scratch } from './cold-context.js';
import { type CopyReport, type CopyRoom, copyUnitsOnSpares } from './copy-region.js';
import { Counter, count } from './counters.js';
import type { Procedure } from './effect.js';
import { perform } from './effect.js';
import { COPY_PIECE_BYTES, REGION_BYTES } from './limits.js';
import { RegionFlag } from './region-filter.js';
import { commitChanges, placeOnSpare } from './relocation.js';
import { existingMask } from './segments.js';

/**
 * Does for a region what can be done where the main device is gone and, as somebody has said, is not to be waited for: the
 * replacement keeps what it got before (`wasCopied`), and else every unit that lives on the main device is remembered as
 * lost, each in a place on a spare. What lives on spares is copied from there.
 */
export function* copyWithoutMain(
  context: ColdContext,
  room: CopyRoom,
  region: number,
  wasCopied: boolean,
): Procedure<CopyReport> {
  const offsetBytes = region * REGION_BYTES;
  const lengthBytes = Math.min(REGION_BYTES, context.shape.mainSizeBytes - offsetBytes);
  context.filter.set(offsetBytes, lengthBytes, RegionFlag.mirrored);
  const errno = wasCopied ? 0 : yield* loseUnitsOnMain(context, room.scratch, offsetBytes, lengthBytes);
  if (errno === ERRNO.ENOSPC)
    return { outcome: 'unreadable', unreadableUnits: unitsOnMain(context, offsetBytes, lengthBytes) };
  if (errno !== 0) return { outcome: 'away', unreadableUnits: [] };
  return yield* copyUnitsOnSpares(context, room, offsetBytes, lengthBytes);
}

/** Answers 0 or an errno: ENOSPC when the spares have no room for more, EIO when a spare does not answer. */
function* loseUnitsOnMain(
  context: ColdContext,
  scratch: Scratch,
  offsetBytes: number,
  lengthBytes: number,
): Procedure<number> {
  const end = offsetBytes + lengthBytes;
  for (let at = offsetBytes; at < end; at += COPY_PIECE_BYTES) {
    const errno = yield* losePiece(context, scratch, at, Math.min(COPY_PIECE_BYTES, end - at));
    if (errno !== 0) return errno;
  }
  return 0;
}

/** One commit for all of them. */
function* losePiece(
  context: ColdContext,
  scratch: Scratch,
  offsetBytes: number,
  lengthBytes: number,
): Procedure<number> {
  const { unitBytes } = context.shape;
  const firstUnit = Math.floor(offsetBytes / unitBytes);
  const lastUnit = Math.floor((offsetBytes + lengthBytes - 1) / unitBytes);
  const lockId = yield* perform({ kind: 'lock', firstUnit, lastUnit });
  const changes: PendingChanges = { first: [], updates: [], afterwards: [] };
  let placed = yield* placeUnits(context, scratch, firstUnit, lastUnit, changes);
  // It is back: what it holds is not lost.
  if (!context.breaker.stopsReads) placed = takeBack(context, changes);
  const committed = yield* commitChanges(context, changes);
  if (committed === 0) for (const change of changes.first) noteLost(context, change);
  yield* perform({ kind: 'unlock', lockId });
  return committed === 0 ? placed : committed;
}

function* placeUnits(
  context: ColdContext,
  scratch: Scratch,
  firstUnit: number,
  lastUnit: number,
  changes: PendingChanges,
): Procedure<number> {
  const { memory, shape, table, breaker } = context;
  memory.fill(0, scratch.unitOffset, scratch.unitOffset + shape.unitBytes);
  for (let mainUnit = firstUnit; mainUnit <= lastUnit; mainUnit += 1) {
    if (!breaker.stopsReads) return ERRNO.EIO;
    if (table.find(mainUnit) !== -1) continue;
    const lostMask = existingMask(context, mainUnit);
    const unit = { mainUnit, bufferOffset: scratch.unitOffset, lostMask, reason: DescriptorReason.readError };
    const errno = yield* placeOnSpare(context, scratch, unit, changes);
    if (errno !== 0) return errno;
  }
  return 0;
}

/** Nothing has been made durable: the places are free again. Those that turned out bad are retired all the same. */
function takeBack({ allocator }: ColdContext, changes: PendingChanges): number {
  const retirements = changes.first.filter(({ state }) => state !== DescriptorState.mapped);
  for (const { state, spareUnit } of changes.first)
    if (state === DescriptorState.mapped) allocator.release(spareUnit);
  changes.first.splice(0, changes.first.length, ...retirements);
  return ERRNO.EIO;
}

function noteLost(context: ColdContext, { mainUnit, lostMask }: PendingChanges['first'][number]): void {
  if (lostMask === 0) return;
  count(context.counters, Counter.remapsOfReads);
  count(context.counters, Counter.blocksLost, bitCount(lostMask));
  context.report({ kind: 'lost', mainUnit, lostMask });
}

function unitsOnMain({ shape, table }: ColdContext, offsetBytes: number, lengthBytes: number): number[] {
  const firstUnit = Math.floor(offsetBytes / shape.unitBytes);
  const unitCount = Math.ceil(lengthBytes / shape.unitBytes);
  return Array.from({ length: unitCount }, (_, nth) => firstUnit + nth).filter(
    (unit) => table.find(unit) === -1,
  );
}
