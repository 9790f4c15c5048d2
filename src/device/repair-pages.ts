import type { Procedure } from '../engine/effect.js';
import { MAX_COMMIT_PAGES } from './limits.js';
import type { PageRepair } from './load-descriptors.js';
import type { MetadataWork } from './metadata-writer.js';
import { repairPage, writePages } from './write-pages.js';

/**
 * Repairs every copy of a page that loading found wanting, and writes the pages `alsoRewritten` anew (P5; rule R3 of
 * docs/on-disk-format.md). Answers the number of pages concerned.
 */
export function* repairPages(
  work: MetadataWork,
  load: PageRepairs,
  alsoRewritten: readonly number[],
): Procedure<number> {
  const rewritten = new Set([...alsoRewritten, ...load.repairTwice]);
  const inPlace = load.inPlaceRepairs.filter(({ page }) => !rewritten.has(page));
  for (const repair of inPlace) yield* repairPage(work, repair);
  yield* rewrite(work, [...rewritten]);
  yield* rewrite(work, [...rewritten]);
  return inPlace.length + rewritten.size;
}

export interface PageRepairs {
  readonly inPlaceRepairs: readonly PageRepair[];
  readonly repairTwice: readonly number[];
}

/** A copy that can't be repaired stays bad, is counted and found again at the next start; the others hold the same. */
function* rewrite(work: MetadataWork, pages: readonly number[]): Procedure<void> {
  for (let first = 0; first < pages.length; first += MAX_COMMIT_PAGES) {
    yield* writePages(work, pages.slice(first, first + MAX_COMMIT_PAGES), new Map());
  }
}
