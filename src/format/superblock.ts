import type { CopyPosition } from './copy-position.js';
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
  /** What the set serves of its main device. */
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
  /** Of the main device itself, where it is larger than what the set serves of it; else 0. */
  readonly mainDeviceBytes: number;
  /** Of the main device itself, where its logical block is smaller than that of the set; else 0. */
  readonly mainDeviceBlockBytes: number;
  readonly contentSample: ContentSample;
  /** Of a clean stop, see `page-sequence-sum.ts`; 0: not recorded. */
  readonly pageSequenceSum: number;
  readonly spares: readonly SpareRecord[];
  readonly copies: readonly CopyLayout[];
  /** One of `OnLost`. */
  readonly onLost: number;
  /** At most `MAX_COUNTERS`; their meaning is the engine's. */
  readonly counters: readonly number[];
  /** At most `MAX_SETTINGS` of 32 bits, without zeroes at the end; their meaning is that of `src/settings/`. 0: not set. */
  readonly settings: readonly number[];
  /** Undefined: the set is not being copied to another disk, as far as is recorded. */
  readonly copyPosition: CopyPosition | undefined;
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
export const MAX_SETTINGS = 64;
/** Blocks of the main device in a content sample. */
export const SAMPLE_COUNT = 32;
/** Space for each text, in UTF-8. */
export const TEXT_BYTES = 64;
export const IncompatFeature = {
  /** Some copies hold only the first pages (`CopyLayout.pageCapacity`). */
  partialCopies: 1,
} as const;
export const CompatFeature = {
  /** The main device is another one than the set was made for, larger or with smaller blocks (`mainDeviceBytes`). */
  mainDevice: 1,
} as const;
/** Feature bits this version knows. */
export const KNOWN_FEATURES: Features = {
  compat: CompatFeature.mainDevice,
  roCompat: 0,
  incompat: IncompatFeature.partialCopies,
};

/** The same features, with `partialCopies` where this layout wants it and only there. */
export function featuresWith(
  features: Features,
  { copies, pageCount }: Pick<Layout, 'copies' | 'pageCount'>,
): Features {
  const { partialCopies } = IncompatFeature;
  const isPartial = copies.some(({ pageCapacity }) => pageCapacity < pageCount);
  const others = features.incompat & ~partialCopies;
  return { ...features, incompat: isPartial ? others | partialCopies : others };
}

/** The same features, with `mainDevice` where this superblock wants it and only there. */
export function featuresForMain(
  features: Features,
  { mainDeviceBytes, mainDeviceBlockBytes }: Pick<Superblock, 'mainDeviceBytes' | 'mainDeviceBlockBytes'>,
): Features {
  const { mainDevice } = CompatFeature;
  const differs = mainDeviceBytes !== 0 || mainDeviceBlockBytes !== 0;
  const compat = differs ? features.compat | mainDevice : features.compat & ~mainDevice;
  return { ...features, compat: compat >>> 0 };
}

/** The slot that a superblock or a page of this sequence belongs to. */
export function slotOf(sequence: number): number {
  return sequence % 2;
}
