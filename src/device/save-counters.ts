import type { Procedure } from '../engine/effect.js';
import { spareTarget } from '../engine/effect.js';
import type { MetadataWork } from './metadata-writer.js';
import { writeSuperblock } from './write-superblock.js';

/**
 * Writes a superblock for the sake of its counters, if they are not those of the last one. Not while a spare is gone or lacks
 * updates: each superblock that it misses makes it look older than it is. Answers whether one was written.
 */
export function* saveCounters(work: MetadataWork): Procedure<boolean> {
  const { state, context } = work;
  const { superblock, lag } = state;
  const isMissed = superblock.spares.some(
    (_, spareIndex) => context.isGone(spareTarget(spareIndex)) || lag.isBehind(spareIndex),
  );
  const counters = context.totalCounters();
  const isSaved = counters.every((counter, index) => counter === superblock.counters[index]);
  if (isMissed || isSaved) return false;
  return (yield* writeSuperblock(work, {})) === 0;
}
