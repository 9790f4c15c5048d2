import { assert } from '../base/assert.js';
import { alignDown } from '../base/units.js';

/** Where everything lies on the spares: constants and plain arithmetic. docs/on-disk-format.md draws it. */
export interface Layout {
  readonly unitBytes: number;
  /** Descriptor pages of the set. */
  readonly pageCount: number;
  readonly spares: readonly SpareLayout[];
  readonly copies: readonly CopyLayout[];
}

export interface SpareLayout {
  readonly sizeBytes: number;
  /** Global number of this spare's first unit; a multiple of `DESCRIPTORS_PER_PAGE`. */
  readonly firstUnit: number;
  /**
   * Unit numbers that belong to this spare: whole pages of them, so the last ones may lie behind the end of the
   * device. Those are among the reserved units (`reserved-units.ts`).
   */
  readonly unitCount: number;
}

export interface CopyLayout {
  readonly spareIndex: number;
  /** Start of the copy's region on its spare. */
  readonly offsetBytes: number;
  /**
   * Descriptor pages that the region has room for, from the first on: all of them, or where spares were added to the set
   * later, at least those of the copy's own spare and of all before it.
   */
  readonly pageCapacity: number;
}

/** Where a copy of the superblock lies on its spare; `slot` is the sequence's lowest bit. */
export function superblockOffsetBytes(copy: CopyLayout, slot: number): number {
  assert(slot === 0 || slot === 1, `superblock slot ${slot}`);
  return copy.offsetBytes + slot * METADATA_PAGE_BYTES;
}

/** Where the text note of a copy lies on its spare: `TEXT_NOTE_BYTES`. */
export function noteOffsetBytes(copy: CopyLayout): number {
  return copy.offsetBytes + ANCHOR_BYTES;
}

/** Where a version of a descriptor page lies on the copy's spare; `slot` is the sequence's lowest bit. */
export function pageOffsetBytes(copy: CopyLayout, pageIndex: number, slot: number): number {
  assert(pageIndex >= 0 && pageIndex < copy.pageCapacity, `page ${pageIndex} of ${copy.pageCapacity}`);
  assert(slot === 0 || slot === 1, `page slot ${slot}`);
  return copy.offsetBytes + REGION_HEAD_BYTES + (2 * pageIndex + slot) * METADATA_PAGE_BYTES;
}

/** A copy that is older than a spare has no room for that spare's pages. */
export function holdsPage(copy: CopyLayout, pageIndex: number): boolean {
  return pageIndex < copy.pageCapacity;
}

/** The page that holds the descriptor of a spare unit. */
export function pageOfUnit(spareUnit: number): number {
  return Math.floor(spareUnit / DESCRIPTORS_PER_PAGE);
}

/** Where the descriptor of a spare unit lies in its page. */
export function descriptorOffsetBytes(spareUnit: number): number {
  return PAGE_HEADER_BYTES + (spareUnit % DESCRIPTORS_PER_PAGE) * DESCRIPTOR_BYTES;
}

/** Where a spare unit lies on the spare that it belongs to. */
export function unitOffsetBytes(spare: SpareLayout, spareUnit: number, unitBytes: number): number {
  const local = spareUnit - spare.firstUnit;
  assert(local >= 0 && local < spare.unitCount, `spare unit ${spareUnit} is on another spare`);
  return local * unitBytes;
}

/** What one copy takes on its spare. */
export function regionBytes(pageCapacity: number): number {
  return REGION_HEAD_BYTES + 2 * METADATA_PAGE_BYTES * pageCapacity;
}

/** Pages of this spare and of all before it. */
export function endPageOfSpare(spare: SpareLayout): number {
  return (spare.firstUnit + spare.unitCount) / DESCRIPTORS_PER_PAGE;
}

/** Page numbers of one spare: `initialisedPageCount` counts from its first page. */
export function firstPageOfSpare(spare: SpareLayout): number {
  return spare.firstUnit / DESCRIPTORS_PER_PAGE;
}

/** Does this page lie below the watermark of its spare? Above it nobody reads, and no descriptor was ever written. */
export function isInitialised(
  spares: readonly (SpareLayout & { readonly initialisedPageCount: number })[],
  page: number,
): boolean {
  return spares.some((spare) => {
    const first = firstPageOfSpare(spare);
    return page >= first && page < first + spare.initialisedPageCount;
  });
}

/**
 * Copies lie at the start of a zone, and zones follow from the size of the device alone: a reader that knows nothing
 * finds every copy by looking at eight places.
 */
export function zoneStartBytes(spareSizeBytes: number, zone: number): number {
  assert(zone >= 0 && zone < ZONE_COUNT, `zone ${zone}`);
  const eighth = Math.floor(spareSizeBytes / ZONE_COUNT);
  const rest = spareSizeBytes % ZONE_COUNT;
  return alignDown(eighth * zone + Math.floor((rest * zone) / ZONE_COUNT), ZONE_ALIGNMENT_BYTES);
}

/** End of the space that a region starting in this zone may use. */
export function zoneEndBytes(spareSizeBytes: number, zone: number): number {
  return zone === ZONE_COUNT - 1 ? spareSizeBytes : zoneStartBytes(spareSizeBytes, zone + 1);
}

/**
 * Every place on a device of this size where a superblock may be, both slots of all zones. Formatting zeroes all of
 * them first, and no unit is ever stored there, so nothing at these places is left over or user data.
 */
export function superblockAnchors(spareSizeBytes: number): readonly number[] {
  const anchors = new Set<number>();
  for (let zone = 0; zone < ZONE_COUNT; zone += 1) {
    for (let slot = 0; slot < 2; slot += 1) {
      const offsetBytes = zoneStartBytes(spareSizeBytes, zone) + slot * METADATA_PAGE_BYTES;
      if (offsetBytes + METADATA_PAGE_BYTES <= spareSizeBytes) anchors.add(offsetBytes);
    }
  }
  return [...anchors];
}

/** Superblocks and descriptor pages. */
export const METADATA_PAGE_BYTES = 4096;
export const PAGE_HEADER_BYTES = 64;
export const DESCRIPTOR_BYTES = 32;
export const DESCRIPTORS_PER_PAGE = 126;
/** Two superblock slots. */
export const ANCHOR_BYTES = 2 * METADATA_PAGE_BYTES;
/** A text that says what this device is (`text-note.ts`). */
export const TEXT_NOTE_BYTES = 8192;
/** What comes before the first descriptor page of a copy. */
export const REGION_HEAD_BYTES = ANCHOR_BYTES + TEXT_NOTE_BYTES;

export const MAX_COPIES = 8;
export const MAX_SPARES = 8;
export const ZONE_COUNT = 8;
export const ZONE_ALIGNMENT_BYTES = 65536;
export const MIN_SPARE_BYTES = 1 << 20;
/** 1 PiB: bounds the memory that a reader must be ready to spend, a byte for each MiB of the main device. */
export const MAX_MAIN_BYTES = 2 ** 50;

/** One bit of the lost mask for each logical block of a unit; this version uses 32 of the 64. */
export const MAX_BLOCKS_PER_UNIT = 32;
export const MAX_UNIT_BYTES = 128 << 10;
/** Bounds the memory that a reader must be ready to spend: 512 GiB of spare in units of 4096 bytes. */
export const MAX_SPARE_UNITS = 2 ** 27;
/**
 * Of superblocks and pages, and the highest generation. Far beyond what a set counts to in its life; a reader refuses
 * more, and a writer ends there, so that the next number can always be told from this one.
 */
export const MAX_SEQUENCE = 2 ** 52;

assert(PAGE_HEADER_BYTES + DESCRIPTORS_PER_PAGE * DESCRIPTOR_BYTES === METADATA_PAGE_BYTES, 'a page is full');
assert(
  MIN_SPARE_BYTES / ZONE_COUNT >= ZONE_ALIGNMENT_BYTES,
  'zones of the smallest spare start at different places',
);
