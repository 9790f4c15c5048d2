import { ERRNO } from '../base/errno.js';
import type { ColdContext, PendingChanges, Scratch } from './cold-context.js';
import type { Procedure } from './effect.js';
import { freeLeftPlace } from './free-left-place.js';
import { withUnitLocked } from './locked-unit.js';
import { readUnitOnSpare } from './read-unit-on-spare.js';
import { commitChanges, placeAt, retirementOf, takesUnitAt } from './relocation.js';

/**
 * Moves a unit that lives on a spare to another free place, on this spare or another one, with its data; the old place is
 * free again once the new one is durable (rule W3), or retired if it didn't give all of the unit without a medium error.
 * Answers 0 or an errno: ENOENT where the unit lives on no spare, EBUSY where `takesUnitAt` says no, ENODATA where blocks of
 * it can't be read, EIO. Whatever fails, the unit is where it was.
 */
export function moveOnSpares(
  context: ColdContext,
  scratch: Scratch,
  mainUnit: number,
  toUnit: number,
): Procedure<number> {
  return withUnitLocked(mainUnit, moveLocked(context, scratch, mainUnit, toUnit));
}

function* moveLocked(
  context: ColdContext,
  scratch: Scratch,
  mainUnit: number,
  toUnit: number,
): Procedure<number> {
  const { table } = context;
  const fromUnit = table.find(mainUnit);
  if (fromUnit === -1) return ERRNO.ENOENT;
  if (context.doubtfulUnits.has(mainUnit)) return ERRNO.EIO;
  const read = yield* readUnitOnSpare(context, scratch, mainUnit, fromUnit);
  if (read === undefined) return ERRNO.EIO;
  if (read.missingMask !== 0) return ERRNO.ENODATA;
  // A unit that failed meanwhile may have been given the place, or the spare is to be emptied by now.
  if (!takesUnitAt(context, toUnit)) return ERRNO.EBUSY;
  const changes: PendingChanges = { first: [], updates: [], afterwards: [] };
  const unit = {
    mainUnit,
    bufferOffset: scratch.unitOffset,
    lostMask: table.lostMask(fromUnit),
    reason: table.reason(fromUnit),
  };
  const placed = yield* placeAt(context, scratch, toUnit, unit, changes);
  if (placed === 0 && !read.isPlaceGood) changes.afterwards.push(retirementOf(fromUnit));
  // A place that turned out bad is retired in any case.
  const committed = yield* commitChanges(context, changes);
  if (placed !== 0 || committed !== 0) return placed === 0 ? committed : placed;
  if (read.isPlaceGood) yield* freeLeftPlace(context, fromUnit);
  return 0;
}
