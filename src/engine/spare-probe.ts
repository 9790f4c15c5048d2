import { alignDown } from '../base/units.js';
import type { ColdContext, Scratch } from './cold-context.js';
import type { Procedure } from './effect.js';
import { perform } from './effect.js';

/** Does the spare that holds this unit answer anywhere? If not, its errors say nothing about sectors. */
export function* spareAnswers(context: ColdContext, scratch: Scratch, spareUnit: number): Procedure<boolean> {
  const { shape } = context;
  const { sizeBytes } = shape.spares[shape.spareIndexOf(spareUnit)]!;
  for (let place = 0; place < PROBE_PLACES; place += 1) {
    const result = yield* perform({
      kind: 'read',
      target: shape.targetOf(spareUnit),
      offsetBytes: alignDown(Math.floor((place * sizeBytes) / PROBE_PLACES), shape.unitBytes),
      lengthBytes: shape.logicalBlockBytes,
      memoryOffset: scratch.probeOffset,
    });
    if (result >= 0) return true;
  }
  return false;
}

const PROBE_PLACES = 8;
