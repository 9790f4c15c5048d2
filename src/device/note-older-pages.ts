import { pageSequenceSum } from '../format/page-sequence-sum.js';
import type { Superblock } from '../format/superblock.js';
import { writtenPages } from '../format/written-pages.js';
import type { LoadReport } from './load-descriptors.js';

/**
 * After a clean stop: where the pages that were chosen are not those that the stop has recorded, newest versions are gone,
 * from all copies, without a trace: pages beside which there is no other version may be older ones. `sequences`: as
 * chosen, by page.
 */
export function noteOlderPages(superblock: Superblock, sequences: ArrayLike<number>, load: LoadReport): void {
  const { spares, cleanShutdown, pageSequenceSum: recorded } = superblock;
  const isComplete = load.lostPages.length === 0 && load.outOfReachPages.length === 0;
  if (!cleanShutdown || recorded === 0 || !isComplete || load.maybeOutdatedPages.length > 0) return;
  if (pageSequenceSum(spares, sequences) === recorded) return;
  const suspects = load.lonePages.length > 0 ? load.lonePages : writtenPages(spares);
  for (const page of suspects) load.maybeOutdatedPages.push(page);
}
