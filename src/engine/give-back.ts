import { ERRNO } from '../base/errno.js';
import { DescriptorState } from '../format/descriptor-page.js';
import type { ColdContext, Scratch } from './cold-context.js';
import { MAIN, type Procedure, perform } from './effect.js';
import { withUnitLocked } from './locked-unit.js';
import { RegionFlag } from './region-filter.js';
import { releaseOf, retirementOf } from './relocation.js';
import { transferWithRetries } from './retry.js';
import { type Salvage, salvageBlocks } from './salvage.js';
import { existingMask } from './segments.js';

/**
 * Brings a unit back to the main device, if that takes it: writes it there, reads it back, compares, makes it durable, and
 * only then forgets its place on the spare, which is free again, or retired if reading there met a medium error. Until that
 * is durable the spare has the data, so nothing is lost whatever fails. Answers 0 or an errno: ENOENT where the unit was not
 * moved, ENODATA where blocks of it are lost (the main device could return anything for them), EIO where main device or spare
 * fails.
 */
export function giveBack(context: ColdContext, scratch: Scratch, mainUnit: number): Procedure<number> {
  return withUnitLocked(mainUnit, giveBackLocked(context, scratch, mainUnit));
}

function* giveBackLocked(context: ColdContext, scratch: Scratch, mainUnit: number): Procedure<number> {
  const { table } = context;
  const spareUnit = table.find(mainUnit);
  if (spareUnit === -1) return ERRNO.ENOENT;
  if (table.lostMask(spareUnit) !== 0) return ERRNO.ENODATA;
  if (context.breaker.isOpen || context.doubtfulUnits.has(mainUnit)) return ERRNO.EIO;
  const read = yield* readFromSpare(context, scratch, mainUnit, spareUnit);
  if (read.abandoned || read.lostMask !== 0) return ERRNO.EIO;
  if (!(yield* writeAndCompare(context, scratch, mainUnit))) return ERRNO.EIO;
  // Nothing else may claim the unit once its last place is forgotten.
  const strays = table.strayPlacesOf(mainUnit).map(retirementOf);
  // A commit that failed may have left a claim on disk that the table does not know of.
  const unknown = [...context.doubtfulPlaces].filter((place) => table.state(place) === DescriptorState.free);
  const claims = [...strays, ...unknown.map(releaseOf)];
  if (claims.length > 0 && (yield* perform({ kind: 'commit', changes: claims })) < 0) return ERRNO.EIO;
  const forgetting = read.mediumIsBad ? retirementOf(spareUnit) : releaseOf(spareUnit);
  if ((yield* perform({ kind: 'commit', changes: [forgetting] })) < 0)
    return forgetDoubtfully(context, mainUnit);
  if (!read.mediumIsBad && table.canReuse(context.allocator.freeCount)) context.allocator.release(spareUnit);
  context.report({ kind: 'givenBack', mainUnit, spareUnit });
  return 0;
}

function readFromSpare(
  context: ColdContext,
  scratch: Scratch,
  mainUnit: number,
  spareUnit: number,
): Procedure<Salvage> {
  const { shape } = context;
  const [target, offsetBytes] = [shape.targetOf(spareUnit), shape.spareOffsetBytes(spareUnit)];
  return salvageBlocks(context, target, offsetBytes, existingMask(context, mainUnit), scratch.unitOffset);
}

/** The test of the sectors: they take the data, and give it again. */
function* writeAndCompare(context: ColdContext, scratch: Scratch, mainUnit: number): Procedure<boolean> {
  const { shape, memory } = context;
  const lengthBytes = shape.unitLengthBytes(mainUnit);
  const place = { target: MAIN, offsetBytes: mainUnit * shape.unitBytes, lengthBytes };
  const data = memory.slice(scratch.unitOffset, scratch.unitOffset + lengthBytes);
  const transfer = { ...place, memoryOffset: scratch.unitOffset };
  const failuresBefore = context.flushFailuresOf(MAIN);
  const written = yield* transferWithRetries(context, { kind: 'write', ...transfer }, false);
  // First durable, so that what is read does not only come from a cache that never met the medium.
  if (!written.ok || (yield* perform({ kind: 'flush', target: MAIN })) < 0) return false;
  // Another's flush that failed may have dropped it: ours found nothing to do, and a cache may still show it.
  if (context.flushFailuresOf(MAIN) !== failuresBefore) return false;
  memory.fill(0, scratch.unitOffset, scratch.unitOffset + lengthBytes);
  const read = yield* transferWithRetries(context, { kind: 'read', ...transfer }, false);
  if (!read.ok) return false;
  return data.every((byte, index) => byte === memory[scratch.unitOffset + index]);
}

/**
 * The disks may say either: both places hold the same now. The next write must go to the spare with a later move, or the
 * place on the main device, which a start may choose, would be old; so the unit is doubtful.
 */
function forgetDoubtfully(context: ColdContext, mainUnit: number): number {
  const { table, filter, shape } = context;
  const spareUnit = table.find(mainUnit);
  context.doubtfulUnits.set(mainUnit, table.moveCount(spareUnit));
  context.doubtfulPlaces.add(spareUnit);
  filter.set(mainUnit * shape.unitBytes, 1, RegionFlag.doubtful);
  context.report({ kind: 'commitFailed', errno: ERRNO.EIO });
  return ERRNO.EIO;
}
