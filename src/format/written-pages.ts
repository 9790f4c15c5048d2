import { firstPageOfSpare } from './layout.js';
import type { SpareRecord } from './superblock.js';

/** The pages of these spares that were ever written: those below the watermarks. */
export function* writtenPages(spares: readonly SpareRecord[]): Generator<number, void, undefined> {
  for (const spare of spares) {
    const firstPage = firstPageOfSpare(spare);
    for (let nth = 0; nth < spare.initialisedPageCount; nth += 1) yield firstPage + nth;
  }
}
