import type { ColdContext } from './cold-context.js';
import type { Procedure, Target } from './effect.js';
import { isMediaClass, transferWithRetries } from './retry.js';
import type { Salvage } from './salvage.js';

/**
 * The device has proved that it is alive, after blocks of a unit could not be read for a reason that may have been the
 * device's: it may have been away until just then, and may go again at any time. So each of them is tried again, and only
 * what fails twice, with a proof of life after each time, is lost. A medium error is the sector's and needs no second look.
 */
export function* confirmLoss(
  context: ColdContext,
  place: UnitPlace,
  salvage: Salvage,
  provesAlive: () => Procedure<boolean>,
): Procedure<Salvage> {
  if (salvage.failure?.errorClass !== 'mediaOrDevice') return salvage;
  let found = salvage;
  for (let round = 0; round < ROUNDS; round += 1) {
    found = yield* readAgain(context, place, found);
    if (found.abandoned || found.lostMask === 0) return found;
    if (!(yield* provesAlive())) return { ...found, abandoned: true };
  }
  return found;
}

/** Where a unit lies, and the buffer that its blocks are read into. */
export interface UnitPlace {
  readonly target: Target;
  readonly offsetBytes: number;
  readonly bufferOffset: number;
}

function* readAgain(
  context: ColdContext,
  { target, offsetBytes, bufferOffset }: UnitPlace,
  salvage: Salvage,
): Procedure<Salvage> {
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
        offsetBytes: offsetBytes + within,
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

/** A device that flaps has to be away at both, and there at the proofs between. */
const ROUNDS = 2;
