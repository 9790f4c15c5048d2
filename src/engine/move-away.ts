import { ERRNO } from '../base/errno.js';
import { DescriptorReason } from '../format/descriptor-page.js';
import { bitCount } from './bit-count.js';
import type { ColdContext, PendingChanges, Scratch } from './cold-context.js';
import { Counter, count } from './counters.js';
import { type Procedure, perform } from './effect.js';
import { freeLeftPlace } from './free-left-place.js';
import { withUnitLocked } from './locked-unit.js';
import { readUnitOnSpare } from './read-unit-on-spare.js';
import { commitChanges, placeOnSpare, retirementOf } from './relocation.js';

/**
 * Moves a unit from its place on a spare that is to be emptied to another spare, with its data. The old place is free again
 * once the new one is durable (rule W3), or retired if it didn't give all of the unit without a medium error. Blocks that it
 * does not give any more are lost if `acceptsLoss`; else the unit stays. Answers 0 or an errno: ENOENT where the unit does not
 * live on this spare, or the spare is not to be emptied any more (`SpareSuspension`: the unit could be placed on it again),
 * ENODATA where it stays for unreadable blocks, ENOSPC, EIO.
 */
export function moveAway(
  context: ColdContext,
  scratch: Scratch,
  mainUnit: number,
  spareIndex: number,
  acceptsLoss: boolean,
): Procedure<number> {
  return withUnitLocked(mainUnit, moveLocked(context, scratch, mainUnit, spareIndex, acceptsLoss));
}

/** Answers 0 or EIO. */
export function* retirePlaces(spareUnits: readonly number[]): Procedure<number> {
  const changes = spareUnits.map(retirementOf);
  return (yield* perform({ kind: 'commit', changes })) < 0 ? ERRNO.EIO : 0;
}

function* moveLocked(
  context: ColdContext,
  scratch: Scratch,
  mainUnit: number,
  spareIndex: number,
  acceptsLoss: boolean,
): Procedure<number> {
  const spareUnit = context.table.find(mainUnit);
  if (!context.suspension.isLeaving(spareIndex)) return ERRNO.ENOENT;
  if (spareUnit === -1 || context.shape.spareIndexOf(spareUnit) !== spareIndex) return ERRNO.ENOENT;
  const read = yield* readUnitOnSpare(context, scratch, mainUnit, spareUnit);
  if (read === undefined) return ERRNO.EIO;
  const newlyLost = read.missingMask;
  if (newlyLost !== 0 && !acceptsLoss) return ERRNO.ENODATA;
  const lostMask = (context.table.lostMask(spareUnit) | newlyLost) >>> 0;
  // Of a unit in doubt the disks may say what nobody goes by; its place is not handed out again.
  const isPlaceGood = read.isPlaceGood && !context.doubtfulUnits.has(mainUnit);
  const changes: PendingChanges = { first: [], updates: [], afterwards: [] };
  const unit = {
    mainUnit,
    bufferOffset: scratch.unitOffset,
    lostMask,
    reason: newlyLost === 0 ? context.table.reason(spareUnit) : DescriptorReason.spareError,
  };
  const destination = context.suspension.destinationOf(spareIndex);
  const placed = yield* placeOnSpare(context, scratch, unit, changes, destination);
  if (placed === 0 && !isPlaceGood) changes.afterwards.push(retirementOf(spareUnit));
  const committed = yield* commitChanges(context, changes);
  if (placed !== 0 || committed !== 0) return placed === 0 ? committed : placed;
  if (isPlaceGood) yield* freeLeftPlace(context, spareUnit);
  count(context.counters, Counter.remapsOfSpares);
  count(context.counters, Counter.blocksLost, bitCount(newlyLost));
  if (newlyLost !== 0) context.report({ kind: 'lost', mainUnit, lostMask: newlyLost });
  return 0;
}
