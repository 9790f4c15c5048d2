import { ERRNO } from '../base/errno.js';
import { DescriptorReason } from '../format/descriptor-page.js';
import { bitCount } from './bit-count.js';
import type { ColdContext, PendingChanges, Scratch } from './cold-context.js';
import { confirmLoss } from './confirm-loss.js';
import { Counter, count } from './counters.js';
import { MAIN, type Procedure } from './effect.js';
import { withUnitLocked } from './locked-unit.js';
import { mayBlameSector } from './probe.js';
import { fillFromReplacement } from './read-replacement.js';
import { commitChanges, placeAt, placeOnSpare, takesUnitAt, type UnitContents } from './relocation.js';
import { salvageBlocks } from './salvage.js';
import { existingMask } from './segments.js';

/**
 * Moves a unit from the main device to a spare because somebody asked for it; its data moves along, and blocks that can't
 * be read are lost as after a failed read. `spareUnit`: where to, -1 for any place. Answers 0 or an errno: EEXIST where
 * the unit was moved before, EBUSY where `takesUnitAt` says no, ENOSPC, EIO.
 */
export function moveByHand(
  context: ColdContext,
  scratch: Scratch,
  mainUnit: number,
  spareUnit: number,
): Procedure<number> {
  return withUnitLocked(mainUnit, moveLocked(context, scratch, mainUnit, spareUnit));
}

function* moveLocked(
  context: ColdContext,
  scratch: Scratch,
  mainUnit: number,
  spareUnit: number,
): Procedure<number> {
  if (context.table.find(mainUnit) !== -1) return ERRNO.EEXIST;
  if (spareUnit !== -1 && !takesUnitAt(context, spareUnit)) return ERRNO.EBUSY;
  const lostMask = yield* readWhole(context, scratch, mainUnit);
  if (lostMask === undefined) return ERRNO.EIO;
  // A unit that failed meanwhile may have been given the place, or the spare is to be emptied by now.
  if (spareUnit !== -1 && !takesUnitAt(context, spareUnit)) return ERRNO.EBUSY;
  const changes: PendingChanges = { first: [], updates: [], afterwards: [] };
  const reason = DescriptorReason.manual;
  const unit: UnitContents = { mainUnit, bufferOffset: scratch.unitOffset, lostMask, reason };
  const placed = yield* spareUnit === -1
    ? placeOnSpare(context, scratch, unit, changes)
    : placeAt(context, scratch, spareUnit, unit, changes);
  // Places that turned out bad on the way are retired in any case.
  const committed = yield* commitChanges(context, changes);
  if (placed !== 0 || committed !== 0) return placed === 0 ? committed : placed;
  count(context.counters, Counter.remapsByHand);
  count(context.counters, Counter.blocksLost, bitCount(lostMask));
  if (lostMask !== 0) context.report({ kind: 'lost', mainUnit, lostMask });
  return 0;
}

/** What can't be read of the unit; undefined where that says nothing about its sectors. */
function* readWhole(context: ColdContext, scratch: Scratch, mainUnit: number): Procedure<number | undefined> {
  if (context.breaker.stopsReads) return undefined;
  const wanted = existingMask(context, mainUnit);
  const unitOffset = mainUnit * context.shape.unitBytes;
  let salvage = yield* salvageBlocks(context, MAIN, unitOffset, wanted, scratch.unitOffset);
  if (salvage.abandoned) return undefined;
  if (salvage.lostMask !== 0 && salvage.failure !== undefined) {
    const { errorClass, errno } = salvage.failure;
    const provesAlive = (): Procedure<boolean> => mayBlameSector(context, scratch, 'read', errorClass, errno);
    if (!(yield* provesAlive())) return undefined;
    const place = { target: MAIN, offsetBytes: unitOffset, bufferOffset: scratch.unitOffset };
    salvage = yield* confirmLoss(context, place, salvage, provesAlive);
  }
  if (salvage.abandoned) return undefined;
  return yield* fillFromReplacement(context, mainUnit, MAIN, salvage.lostMask, scratch.unitOffset);
}
