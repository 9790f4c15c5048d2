import type { DeviceShape } from '../engine/device-shape.js';
import type { Procedure } from '../engine/effect.js';
import { perform } from '../engine/effect.js';

/**
 * What goes to a disk and its replacement holds a lock, and once copying has ended nothing more does: where each unit was
 * locked once, nothing is on its way. Not all at the same time: the main device could not prove meanwhile that it takes writes.
 */
export function* lockAllOnce({ mainSizeBytes, unitBytes }: DeviceShape): Procedure<void> {
  const unitCount = Math.ceil(mainSizeBytes / unitBytes);
  const sectionUnits = Math.ceil(unitCount / SECTION_COUNT);
  for (let firstUnit = 0; firstUnit < unitCount; firstUnit += sectionUnits) {
    const lastUnit = Math.min(firstUnit + sectionUnits, unitCount) - 1;
    const lockId = yield* perform({ kind: 'lock', firstUnit, lastUnit });
    yield* perform({ kind: 'unlock', lockId });
  }
}

const SECTION_COUNT = 16;
