import type { Superblock } from '../format/superblock.js';
import type { CopyLag } from './copy-lag.js';

/** What is known of a set's metadata on disk; changed by `MetadataWriter` only. */
export interface MetadataState {
  /** As it was last written. */
  superblock: Superblock;
  /** Sequence of the last version of each page that was sent to any copy; 0: never written. */
  readonly pageSequences: Float64Array;
  readonly lag: CopyLag;
}
