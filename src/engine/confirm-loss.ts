import type { ColdContext } from './cold-context.js';
import type { Procedure, Target } from './effect.js';
import { isMediaClass, transferWithRetries } from './retry.js';
import type { Salvage } from './salvage.js';

/**
 * The device has proved that it is alive, after blocks of a unit could not be read for a reason that may have been the
 * device's: it may have been away until just then. So each of them is tried once more, and only what fails again is
 * lost. A medium error is the sector's and needs no second look.
 */
export function* confirmLoss(
  context: ColdContext,
  target: Target,
  unitOffsetBytes: number,
  salvage: Salvage,
  bufferOffset: number,
): Procedure<Salvage> {
  if (salvage.failure?.errorClass !== 'mediaOrDevice') return salvage;
  const { logicalBlockBytes } = context.shape;
  let { lostMask, mediumIsBad } = salvage;
  for (let block = 0; block < 32; block += 1) {
    if (((lostMask >>> block) & 1) === 0) continue;
    const within = block * logicalBlockBytes;
    const attempt = yield* transferWithRetries(
      context,
      {
        kind: 'read',
        target,
        offsetBytes: unitOffsetBytes + within,
        lengthBytes: logicalBlockBytes,
        memoryOffset: bufferOffset + within,
      },
      false,
    );
    if (attempt.ok) lostMask = (lostMask & ~(1 << block)) >>> 0;
    else if (!isMediaClass(attempt.errorClass))
      return { ...salvage, lostMask, failure: attempt, abandoned: true };
    else mediumIsBad ||= attempt.errorClass === 'media';
  }
  return { ...salvage, lostMask, mediumIsBad };
}
