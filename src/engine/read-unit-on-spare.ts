import type { ColdContext, Scratch } from './cold-context.js';
import { confirmLoss } from './confirm-loss.js';
import type { Procedure } from './effect.js';
import { fillFromReplacement } from './read-replacement.js';
import { salvageBlocks } from './salvage.js';
import { existingMask } from './segments.js';
import { spareOfUnitAnswers } from './spare-probe.js';

/**
 * Brings a unit that lives on a spare into memory. Answers which of the blocks that it should have the spare does not give;
 * undefined where that says nothing about its sectors.
 */
export function* readUnitOnSpare(
  context: ColdContext,
  scratch: Scratch,
  mainUnit: number,
  spareUnit: number,
): Procedure<number | undefined> {
  const { shape, table } = context;
  const target = shape.targetOf(spareUnit);
  const offset = shape.spareOffsetBytes(spareUnit);
  const wanted = (existingMask(context, mainUnit) & ~table.lostMask(spareUnit)) >>> 0;
  let salvage = yield* salvageBlocks(context, target, offset, wanted, scratch.unitOffset);
  if (salvage.abandoned) return undefined;
  if (salvage.lostMask !== 0) {
    const provesAlive = (): Procedure<boolean> => spareOfUnitAnswers(context, scratch, spareUnit);
    if (!(yield* provesAlive())) return undefined;
    const place = { target, offsetBytes: offset, bufferOffset: scratch.unitOffset };
    salvage = yield* confirmLoss(context, place, salvage, provesAlive);
  }
  if (salvage.abandoned) return undefined;
  return yield* fillFromReplacement(context, mainUnit, target, salvage.lostMask, scratch.unitOffset);
}
