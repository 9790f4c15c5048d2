import { unsettle } from './change-settled.js';
import type { ColdContext } from './cold-context.js';
import type { Procedure, Target } from './effect.js';
import { REPLACEMENT } from './effect.js';
import { transferWithRetries } from './retry.js';
import type { ByteRange } from './segments.js';

/**
 * Reads a range from the replacement of the main device, which has been filled there and got every write since: the disk
 * that is being left may not give it any more. False: the replacement does not hold it, or does not give it either; then
 * it is to be filled there once more. The caller holds the lock of the range, and asks for no block that is lost already:
 * those are zeroes there.
 */
export function* readReplacement(context: ColdContext, range: ByteRange): Procedure<boolean> {
  const { offsetBytes, lengthBytes } = range;
  if (!context.mirror.holds(offsetBytes, lengthBytes)) return false;
  if (yield* readPatiently(context, range)) return true;
  yield* unsettle(context, offsetBytes, lengthBytes);
  context.mirror.noteStale(context.filter, offsetBytes, lengthBytes);
  return false;
}

/**
 * The same for blocks of a unit that its place, on `target`, does not give, into the unit's buffer. Nothing else has them any
 * more, so the replacement is asked also where its region is to be copied again for another reason. Answers those still
 * missing.
 */
export function* fillFromReplacement(
  context: ColdContext,
  mainUnit: number,
  target: Target,
  missingMask: number,
  bufferOffset: number,
): Procedure<number> {
  const { logicalBlockBytes, unitBytes } = context.shape;
  const unitOffset = mainUnit * unitBytes;
  const keptMask = (missingMask & context.mirror.keptOf(mainUnit, unitBytes, target)) >>> 0;
  if (keptMask === 0) return missingMask;
  let stillMissing = missingMask;
  for (let block = 0; block < 32; block += 1) {
    if (((keptMask >>> block) & 1) === 0) continue;
    const within = block * logicalBlockBytes;
    const isThere = yield* readPatiently(context, {
      offsetBytes: unitOffset + within,
      lengthBytes: logicalBlockBytes,
      memoryOffset: bufferOffset + within,
    });
    if (isThere) stillMissing = (stillMissing & ~(1 << block)) >>> 0;
  }
  if (stillMissing === 0) return 0;
  yield* unsettle(context, unitOffset, context.shape.unitLengthBytes(mainUnit));
  context.mirror.noteStale(context.filter, unitOffset, unitBytes);
  return stillMissing;
}

function* readPatiently(context: ColdContext, range: ByteRange): Procedure<boolean> {
  const effect = { kind: 'read', target: REPLACEMENT, ...range } as const;
  return (yield* transferWithRetries(context, effect, true)).ok;
}
