import type { ColdContext } from './cold-context.js';
import type { Procedure } from './effect.js';
import { perform } from './effect.js';

/**
 * Before what the set holds in this range changes, on any disk: parts that are recorded as settled on the disk that the
 * set is copied to are so no more. The caller holds the lock of the range, and calls `endChange` when the change is done on
 * all disks, before it gives the lock back.
 */
export function* beginChange(
  context: ColdContext,
  offsetBytes: number,
  lengthBytes: number,
): Procedure<void> {
  context.settled.beginChange(offsetBytes, lengthBytes);
  yield* unsettle(context, offsetBytes, lengthBytes);
}

/** Parts of this range, if any, are recorded as settled no more, or nothing is. */
export function* unsettle(
  { settled }: Pick<ColdContext, 'settled'>,
  offsetBytes: number,
  lengthBytes: number,
): Procedure<void> {
  const parts = settled.settledIn(offsetBytes, lengthBytes);
  if (parts.length > 0) yield* perform({ kind: 'unsettle', parts });
}
