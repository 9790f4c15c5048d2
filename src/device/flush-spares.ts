import type { ColdContext } from '../engine/cold-context.js';
import type { Effect, Procedure } from '../engine/effect.js';
import { performAll, spareTarget } from '../engine/effect.js';
import type { Superblock } from '../format/superblock.js';

/** Flushes these spares; answers those whose flush succeeded. */
export function* flushSpares(spareIndexes: Iterable<number>): Procedure<ReadonlySet<number>> {
  const unique = [...new Set(spareIndexes)];
  const results = yield* performAll(
    unique.map((index): Effect => ({ kind: 'flush', target: spareTarget(index) })),
  );
  return new Set(unique.filter((_, index) => results[index]! >= 0));
}

/** By spare: flushes of it that failed so far. To be asked before a write, for `withoutFlushFailure`. */
export function flushFailuresOf({ state, context }: FlushWork): readonly number[] {
  return state.superblock.spares.map((_, index) => context.flushFailuresOf?.(spareTarget(index)) ?? 0);
}

/**
 * Those of the spares `flushed` that hold for good what was written since `failuresBefore`: a flush that fails meanwhile,
 * whoever asked for it, may have dropped that, and ours finds nothing to do then and succeeds.
 */
export function withoutFlushFailure(
  work: FlushWork,
  flushed: ReadonlySet<number>,
  failuresBefore: readonly number[],
): ReadonlySet<number> {
  const failures = flushFailuresOf(work);
  return new Set([...flushed].filter((index) => failures[index] === failuresBefore[index]));
}

export interface FlushWork {
  readonly state: { readonly superblock: Pick<Superblock, 'spares'> };
  /** Left out where nobody else flushes. */
  readonly context: Partial<Pick<ColdContext, 'flushFailuresOf'>>;
}
