import { alignDown } from '../base/units.js';
import type { ColdContext, Scratch } from './cold-context.js';
import type { Procedure } from './effect.js';
import { perform, spareTarget } from './effect.js';

/** Does this spare answer anywhere? If not, its errors say nothing about sectors. */
export function* spareAnswers(
  context: ColdContext,
  scratch: Scratch,
  spareIndex: number,
): Procedure<boolean> {
  const { shape } = context;
  const { sizeBytes } = shape.spares[spareIndex]!;
  for (let place = 0; place < PROBE_PLACES; place += 1) {
    const result = yield* perform({
      kind: 'read',
      target: spareTarget(spareIndex),
      offsetBytes: alignDown(Math.floor((place * sizeBytes) / PROBE_PLACES), shape.unitBytes),
      lengthBytes: shape.logicalBlockBytes,
      memoryOffset: scratch.probeOffset,
    });
    if (result >= 0) return true;
  }
  return false;
}

/** The same of the spare that holds this unit. */
export function* spareOfUnitAnswers(
  context: ColdContext,
  scratch: Scratch,
  spareUnit: number,
): Procedure<boolean> {
  return yield* spareAnswers(context, scratch, context.shape.spareIndexOf(spareUnit));
}

const PROBE_PLACES = 8;
