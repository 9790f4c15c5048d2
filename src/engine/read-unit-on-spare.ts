import type { ColdContext, Scratch } from './cold-context.js';
import { confirmLoss } from './confirm-loss.js';
import type { Procedure } from './effect.js';
import { fillFromReplacement } from './read-replacement.js';
import { salvageBlocks } from './salvage.js';
import { existingMask } from './segments.js';
import { spareOfUnitAnswers } from './spare-probe.js';

/** A unit that lives on a spare, in memory. */
export interface UnitOnSpare {
  /** Which of the blocks that it should have neither the spare gives nor a replacement. */
  readonly missingMask: number;
  /** The spare gave all of them without a medium error. If not, no other unit may be put there. */
  readonly isPlaceGood: boolean;
}

/** Brings a unit that lives on a spare into memory; undefined where its place answers in a way that says nothing about sectors. */
export function* readUnitOnSpare(
  context: ColdContext,
  scratch: Scratch,
  mainUnit: number,
  spareUnit: number,
): Procedure<UnitOnSpare | undefined> {
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
  const { lostMask, mediumIsBad } = salvage;
  const missingMask = yield* fillFromReplacement(context, mainUnit, target, lostMask, scratch.unitOffset);
  return { missingMask, isPlaceGood: lostMask === 0 && !mediumIsBad };
}
