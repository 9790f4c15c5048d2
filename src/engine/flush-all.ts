import { ERRNO } from '../base/errno.js';
import type { ColdContext } from './cold-context.js';
import type { Effect, Procedure, Target } from './effect.js';
import { MAIN, performAll, spareTarget } from './effect.js';

/** The main device and every spare with writes that no flush has covered; 0 or EIO. */
export function flushAll(context: ColdContext): Procedure<number> {
  const { shape, isDirty } = context;
  const spares = [...shape.spares.keys()].map(spareTarget);
  return flushDisks([MAIN, ...spares.filter((target) => isDirty(target))]);
}

function* flushDisks(targets: readonly Target[]): Procedure<number> {
  const results = yield* performAll(targets.map((target): Effect => ({ kind: 'flush', target })));
  return results.some((result) => result < 0) ? ERRNO.EIO : 0;
}

/**
 * Makes durable what was written to these disks since `failuresBefore`, which is of `flushFailureTotal`. No other disk is
 * flushed: it may be gone. What was moved elsewhere meanwhile is durable there.
 *
 * EIO as well if a flush has failed meanwhile that somebody else asked for: it may have dropped that, and ours finds nothing to
 * do then and succeeds.
 */
export function* flushWritten(
  context: ColdContext,
  failuresBefore: number,
  targets: Iterable<Target>,
): Procedure<number> {
  const errno = yield* flushDisks([...targets]);
  return flushFailureTotal(context) === failuresBefore ? errno : ERRNO.EIO;
}

/** Flushes of any device that failed so far. */
export function flushFailureTotal({ flushFailuresOf, shape }: ColdContext): number {
  return shape.spares.reduce(
    (total, _spare, index) => total + flushFailuresOf(spareTarget(index)),
    flushFailuresOf(MAIN),
  );
}
