import { Counter, count } from '../engine/counters.js';
import type { Procedure } from '../engine/effect.js';
import type { AssembledSet } from './assemble-set.js';
import { MAX_COMMIT_PAGES } from './limits.js';
import type { MetadataWork } from './metadata-writer.js';
import { writePages } from './write-descriptors.js';
import { writeSuperblock } from './write-superblock.js';

/**
 * The first writes to a set: says that it is in use, and repairs every copy that assembling found wanting (P5).
 * Answers the number of copies and pages that were written anew, or a negative errno.
 */
export function* markOpened(work: MetadataWork, set: AssembledSet): Procedure<number> {
  const { choice, load } = set;
  const fields = { cleanShutdown: false, openCount: work.state.superblock.openCount + 1 };
  const errno = yield* writeSuperblock(work, fields);
  if (errno !== 0) return -errno;
  const twice = choice.needsTwoUpdates || choice.repairs.length > 0;
  if (twice) {
    const again = yield* writeSuperblock(work, {});
    if (again !== 0) return -again;
  }
  const once = new Set([...load.repairOnce, ...set.supersededPages, ...load.repairTwice]);
  yield* rewrite(work, [...once]);
  yield* rewrite(work, load.repairTwice);
  const repairedCount = choice.repairs.length + once.size;
  count(work.context.counters, Counter.metadataRepairs, repairedCount);
  return repairedCount;
}

/** A copy that can't be repaired stays bad and is counted; the others hold the same. */
function* rewrite(work: MetadataWork, pages: readonly number[]): Procedure<void> {
  for (let first = 0; first < pages.length; first += MAX_COMMIT_PAGES) {
    yield* writePages(work, pages.slice(first, first + MAX_COMMIT_PAGES), new Map());
  }
}
