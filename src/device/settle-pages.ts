import { type Procedure, spareTarget } from '../engine/effect.js';
import { holdsPage } from '../format/layout.js';
import { writtenPages } from '../format/written-pages.js';
import { MAX_COMMIT_PAGES } from './limits.js';
import type { MetadataWork } from './metadata-writer.js';
import { writePages } from './write-pages.js';

/**
 * Before a clean stop: writes anew the pages of which no copy that is there has taken the last two updates. What the missed
 * ones have left may be damaged, or newer than the map; if it were so in every copy, the next start could not tell that the
 * newest version is there, and would refuse the set. False: that can't be had.
 */
export function* settlePages(work: MetadataWork): Procedure<boolean> {
  let pages = pagesInDoubt(work);
  for (let update = 0; update < MAX_UPDATES && pages.length > 0; update += 1) {
    for (let first = 0; first < pages.length; first += MAX_COMMIT_PAGES) {
      if (!(yield* writePages(work, pages.slice(first, first + MAX_COMMIT_PAGES), new Map()))) return false;
    }
    pages = pages.filter((page) => isInDoubt(work, page));
  }
  return pages.length === 0;
}

/** Of those that were ever written. */
function pagesInDoubt(work: MetadataWork): number[] {
  return [...writtenPages(work.state.superblock.spares)].filter((page) => isInDoubt(work, page));
}

/** Not where no copy of the page is there: its spare is gone as a whole. */
function isInDoubt(work: MetadataWork, page: number): boolean {
  const { unsettledPages, proof } = work.state;
  if (unsettledPages.has(page)) return true;
  const there = copiesThere(work, page);
  return there !== 0 && !proof.isProvenBy(page, there);
}

function copiesThere({ state, context }: MetadataWork, page: number): number {
  let mask = 0;
  for (const [copyIndex, copy] of state.superblock.copies.entries()) {
    if (holdsPage(copy, page) && !context.isGone(spareTarget(copy.spareIndex))) mask |= 1 << copyIndex;
  }
  return mask;
}

/** Each copy may fail once or twice meanwhile. */
const MAX_UPDATES = 4;
