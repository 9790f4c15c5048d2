import type { SpareRecord } from './superblock.js';
import { writtenPages } from './written-pages.js';

/**
 * What a clean stop records of the pages: one more than the sum of the sequences of all that were ever written, modulo
 * 2^32. A page of which the newest version is gone has a lower one. 0 is left for "not recorded".
 */
export function pageSequenceSum(spares: readonly SpareRecord[], sequences: ArrayLike<number>): number {
  let sum = 0;
  for (const page of writtenPages(spares)) sum = (sum + sequences[page]!) % 2 ** 32;
  return 1 + sum;
}
