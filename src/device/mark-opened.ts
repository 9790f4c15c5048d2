import { Counter, count } from '../engine/counters.js';
import type { Procedure } from '../engine/effect.js';
import type { AssembledSet } from './assemble-set.js';
import { MAX_COMMIT_PAGES } from './limits.js';
import type { MetadataWork } from './metadata-writer.js';
import { repairPage, writePages } from './write-descriptors.js';
import { repairSuperblock, writeSuperblock } from './write-superblock.js';

/**
 * The first writes to a set: repairs every copy that assembling found wanting (P5; rules R1 to R3 of
 * docs/on-disk-format.md), and says that the set is in use. Answers the number of blocks that were written anew, or a
 * negative errno if the metadata can't be written at all.
 */
export function* markOpened(work: MetadataWork, set: AssembledSet): Procedure<number> {
  const { choice, load } = set;
  if (choice.repairs.length > 0)
    yield* repairSuperblock(
      work,
      choice.repairs.map((repair) => repair.copyIndex),
    );
  const openCount = work.state.superblock.openCount + 1;
  const errno = yield* writeSuperblock(work, { cleanShutdown: false, openCount });
  const again = errno === 0 && choice.needsTwoUpdates ? yield* writeSuperblock(work, {}) : errno;
  if (again !== 0) return -again;

  const rewritten = new Set([...set.supersededPages, ...load.repairTwice]);
  const inPlace = load.inPlaceRepairs.filter(({ page }) => !rewritten.has(page));
  for (const { page, copyMask } of inPlace) yield* repairPage(work, page, copyMask);
  yield* rewrite(work, [...rewritten]);
  yield* rewrite(work, [...rewritten]);
  const repairedCount = choice.repairs.length + inPlace.length + rewritten.size;
  count(work.context.counters, Counter.metadataRepairs, repairedCount);
  return repairedCount;
}

/** A copy that can't be repaired stays bad, is counted and found again at the next start; the others hold the same. */
function* rewrite(work: MetadataWork, pages: readonly number[]): Procedure<void> {
  for (let first = 0; first < pages.length; first += MAX_COMMIT_PAGES) {
    yield* writePages(work, pages.slice(first, first + MAX_COMMIT_PAGES), new Map());
  }
}
