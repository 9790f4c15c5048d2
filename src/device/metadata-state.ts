import type { Superblock } from '../format/superblock.js';
import { CopyLag } from './copy-lag.js';
import { PageProof } from './page-proof.js';

/** What is known of a set's metadata on disk; changed by `MetadataWriter` only. */
export interface MetadataState {
  /** As it was last written. */
  superblock: Superblock;
  /** Sequence of the last version of each page that was sent to any copy; 0: never written. */
  readonly pageSequences: Float64Array;
  readonly lag: CopyLag;
  /** Pages whose last update failed: what the copies hold of it is not known, until they are written again. */
  readonly unsettledPages: Set<number>;
  readonly proof: PageProof;
  /**
   * The superblock, and pages, of which a slot could not be judged when they were read: it may hold an update that was given
   * up, with a number that nobody knows. The next update leaps over it (rule R2 and R3).
   */
  superblockMayHide: boolean;
  /** Whatever the superblock says of a copying is wrong: it is left out of all that is written from now on. */
  dropsCopyPosition: boolean;
  readonly pagesThatMayHide: Set<number>;
}

/** Of a set whose map has not been read yet. */
export function metadataStateOf(superblock: Superblock): MetadataState {
  return {
    superblock,
    pageSequences: new Float64Array(superblock.pageCount),
    lag: new CopyLag(superblock.spares.length),
    unsettledPages: new Set(),
    proof: new PageProof(superblock.pageCount),
    superblockMayHide: false,
    dropsCopyPosition: false,
    pagesThatMayHide: new Set(),
  };
}
