import type { CopyLayout, Layout, SpareLayout } from './layout.js';

/** What every copy of the superblock says: the set, its devices, and which state of the metadata is valid. */
export interface Superblock extends Layout {
  readonly features: Features;
  /** The last user stopped in an orderly way, with everything written out. */
  readonly cleanShutdown: boolean;
  /** 16 bytes, new for every format; never used again. */
  readonly setId: Uint8Array;
  /** One more with every update of the superblock; its lowest bit is the slot. */
  readonly sequence: number;
  /** Pages of a higher generation are not valid (yet). */
  readonly generation: number;
  readonly logicalBlockBytes: number;
  /** Times the set was opened for writing. */
  readonly openCount: number;
  readonly mainSizeBytes: number;
  /** Seconds since 1970. */
  readonly createdSeconds: number;
  readonly updatedSeconds: number;
  /** For people; at most 64 bytes of UTF-8, like the three below. */
  readonly name: string;
  /** '' where the main device has none. */
  readonly mainModel: string;
  readonly mainSerial: string;
  readonly mainWwn: string;
  readonly contentSample: ContentSample;
  readonly spares: readonly SpareRecord[];
  readonly copies: readonly CopyLayout[];
  /** One of `OnLost`. */
  readonly onLost: number;
  /** At most `MAX_COUNTERS`; their meaning is the engine's. */
  readonly counters: readonly number[];
}

export interface SpareRecord extends SpareLayout {
  /** 16 bytes; a spare that is replaced gets a new one. */
  readonly uuid: Uint8Array;
  /** Pages of this spare, from its first, that are written on all copies. The others are undefined: all units free. */
  readonly initialisedPageCount: number;
}

/** Checksums of some blocks of the main device (`fingerprint.ts`). */
export interface ContentSample {
  /** Bit n: block n could be read and `crcs[n]` is its CRC. */
  readonly validMask: number;
  /** `SAMPLE_COUNT` of them. */
  readonly crcs: readonly number[];
}

/** Bit masks with the meaning they have in ext4. */
export interface Features {
  /** An unknown bit does no harm. This version drops it when it writes, since it drops what the bit speaks of. */
  readonly compat: number;
  /** An unknown bit forbids writing. */
  readonly roCompat: number;
  /** An unknown bit forbids any use; never seen in a decoded superblock of this version. */
  readonly incompat: number;
}

/** What a read of a lost block does. */
export const OnLost = { error: 0, zero: 1 } as const;

export const FORMAT_VERSION = 1;
export const MAX_COUNTERS = 64;
/** Blocks of the main device in a content sample. */
export const SAMPLE_COUNT = 32;
/** Space for each text, in UTF-8. */
export const TEXT_BYTES = 64;
/** Feature bits this version knows: none so far. */
export const KNOWN_FEATURES: Features = { compat: 0, roCompat: 0, incompat: 0 };

/** The slot that a superblock or a page of this sequence belongs to. */
export function slotOf(sequence: number): number {
  return sequence % 2;
}
