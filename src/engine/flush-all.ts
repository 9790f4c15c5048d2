import { ERRNO } from '../base/errno.js';
import type { ColdContext } from './cold-context.js';
import type { Effect, Procedure } from './effect.js';
import { MAIN, performAll, spareTarget } from './effect.js';

/** The main device and every spare with writes that no flush has covered; 0 or EIO. */
export function* flushAll(context: ColdContext): Procedure<number> {
  const effects: Effect[] = [{ kind: 'flush', target: MAIN }];
  for (const index of context.shape.spares.keys()) {
    if (context.isDirty(spareTarget(index))) effects.push({ kind: 'flush', target: spareTarget(index) });
  }
  const results = yield* performAll(effects);
  return results.some((result) => result < 0) ? ERRNO.EIO : 0;
}

/**
 * Makes durable what was written since `failuresBefore`, which is of `flushFailureTotal`. EIO as well if a flush has
 * failed meanwhile that somebody else asked for: it may have dropped that, and ours finds nothing to do then and succeeds.
 */
export function* flushWritten(context: ColdContext, failuresBefore: number): Procedure<number> {
  const errno = yield* flushAll(context);
  return flushFailureTotal(context) === failuresBefore ? errno : ERRNO.EIO;
}

/** Flushes of any device that failed so far. */
export function flushFailureTotal({ flushFailuresOf, shape }: ColdContext): number {
  return shape.spares.reduce(
    (total, _spare, index) => total + flushFailuresOf(spareTarget(index)),
    flushFailuresOf(MAIN),
  );
}
