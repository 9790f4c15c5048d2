import { crc32 } from 'node:zlib';
import { check } from './check-failure.js';

/**
 * Reads a set's metadata from the bytes of its spares, by docs/on-disk-format.md and by nothing else: the checkers must
 * not believe the code that they check. Takes the newest intact version of everything, wherever it is.
 */
export function readMetadata(spares: readonly Uint8Array[]): SetOnDisk | undefined {
  const found = spares.flatMap((spare, spareIndex) => superblocksOn(spare, spareIndex));
  const superblock = newestSuperblock(spares);
  if (superblock === undefined) return undefined;
  const pages: PageOnDisk[] = [];
  for (const spare of superblock.spares) {
    const firstPage = spare.firstUnit / DESCRIPTORS_PER_PAGE;
    for (let page = firstPage; page < firstPage + spare.initialisedPageCount; page += 1) {
      pages.push(newestPage(spares, superblock, page));
    }
  }
  const holders = superblock.copies.map((_, copyIndex) =>
    found.some((each) => each.copyIndex === copyIndex && each.sequence === superblock.sequence),
  );
  const mappings = pages.flatMap(mappingsOf);
  return { superblock, holders, pages, mappings, retired: pages.flatMap(retiredOf) };
}

/** As `readMetadata`, of a set that was put on the disks: it has to be there. */
export function readExisting(spares: readonly Uint8Array[]): SetOnDisk {
  const set = readMetadata(spares);
  check(set !== undefined, 'structure', 'there is no superblock any more');
  return set;
}

export interface SetOnDisk {
  readonly superblock: SuperblockOnDisk;
  /** By copy: it has this superblock. */
  readonly holders: readonly boolean[];
  /** Those below the watermarks. */
  readonly pages: readonly PageOnDisk[];
  readonly mappings: readonly MappingOnDisk[];
  /** Spare units. */
  readonly retired: readonly number[];
}

export interface SuperblockOnDisk {
  readonly copyIndex: number;
  readonly setId: string;
  readonly sequence: number;
  readonly generation: number;
  readonly unitBytes: number;
  readonly blockBytes: number;
  readonly mainSizeBytes: number;
  readonly isClean: boolean;
  readonly openCount: number;
  /** In the order of the superblock. */
  readonly counters: readonly number[];
  /** By place: 0 where nothing is kept, else the value plus one. */
  readonly settings: readonly number[];
  readonly onLost: number;
  /** Blocks of the main device by which it is recognised after a clean stop. */
  readonly sampleValidMask: number;
  readonly spares: readonly {
    readonly sizeBytes: number;
    readonly firstUnit: number;
    readonly unitCount: number;
    readonly initialisedPageCount: number;
  }[];
  readonly copies: readonly CopyOnDisk[];
  /** As the copy has it that was found first. */
  readonly bytes: DataView;
}

export interface CopyOnDisk {
  readonly spareIndex: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Pages from this one on have no place in it. */
  readonly pageCapacity: number;
}

export interface PageOnDisk {
  readonly page: number;
  readonly sequence: number;
  readonly bytes: DataView;
  /** By copy: it has this version, or has no place for the page. */
  readonly holders: readonly boolean[];
}

export interface MappingOnDisk {
  readonly spareUnit: number;
  readonly mainUnit: number;
  readonly lostMask: number;
  readonly moveCount: number;
  /** Why it was moved. */
  readonly reason: number;
}

export function newestSuperblock(spares: readonly Uint8Array[]): SuperblockOnDisk | undefined {
  const found = spares.flatMap((spare, spareIndex) => superblocksOn(spare, spareIndex));
  return found.sort((one, other) => other.sequence - one.sequence)[0];
}

/** Sequence of the newest superblock on one spare, or 0. */
export function superblockSequenceOn(spare: Uint8Array, spareIndex: number): number {
  return Math.max(0, ...superblocksOn(spare, spareIndex).map(({ sequence }) => sequence));
}

/** Of the superblock before the newest one on a spare, or 0. */
export function sequenceBeforeOn(spare: Uint8Array, spareIndex: number): number {
  const newest = superblockSequenceOn(spare, spareIndex);
  const sequences = superblocksOn(spare, spareIndex).map(({ sequence }) => sequence);
  return Math.max(0, ...sequences.filter((sequence) => sequence < newest));
}

/** Sequence of the newest version of a page on one spare, or 0. */
export function pageSequenceOn(
  spare: Uint8Array,
  spareIndex: number,
  superblock: SuperblockOnDisk,
  page: number,
): number {
  const versions = superblock.copies.flatMap((copy, copyIndex) =>
    copy.spareIndex === spareIndex ? versionsIn(spare, superblock, copyIndex, page) : [],
  );
  return Math.max(0, ...versions.map((version) => version?.sequence ?? 0));
}

/** The copy whose bytes lie here, or -1. */
export function copyAt(superblock: SuperblockOnDisk, spareIndex: number, offsetBytes: number): number {
  return superblock.copies.findIndex(
    (copy) =>
      copy.spareIndex === spareIndex &&
      offsetBytes >= copy.offsetBytes &&
      offsetBytes < copy.offsetBytes + copy.lengthBytes,
  );
}

/** Start of a page's slot in a copy. */
export function pageOffset(copy: CopyOnDisk, page: number, slot: number): number {
  return copy.offsetBytes + pageOffsetIn(page) + slot * PAGE_BYTES;
}

function pageOffsetIn(page: number): number {
  return 16384 + page * 8192;
}

export function zoneStart(sizeBytes: number, zone: number): number {
  const start = Math.floor((sizeBytes * zone) / 8);
  return start - (start % 65536);
}

/** The place of a spare unit. */
export function placeOfUnit(
  superblock: SuperblockOnDisk,
  spareUnit: number,
): { readonly spareIndex: number; readonly offsetBytes: number } {
  const spareIndex = superblock.spares.findLastIndex((spare) => spareUnit >= spare.firstUnit);
  const local = spareUnit - superblock.spares[spareIndex]!.firstUnit;
  return { spareIndex, offsetBytes: local * superblock.unitBytes };
}

function superblocksOn(spare: Uint8Array, spareIndex: number): SuperblockOnDisk[] {
  const found: SuperblockOnDisk[] = [];
  for (let zone = 0; zone < 8; zone += 1) {
    for (let slot = 0; slot < 2; slot += 1) {
      const offset = zoneStart(spare.length, zone) + slot * PAGE_BYTES;
      const bytes = intactPage(spare, offset, 'DMREMAP\0');
      const superblock = bytes && decodeSuperblock(bytes);
      if (superblock === undefined) continue;
      const isInPlace = superblock.copies.some(
        (copy, index) =>
          copy.spareIndex === spareIndex &&
          copy.offsetBytes + slot * PAGE_BYTES === offset &&
          bytes!.getUint16(64, true) === index &&
          bytes!.getUint16(66, true) === slot,
      );
      if (isInPlace) found.push(superblock);
    }
  }
  return found;
}

function decodeSuperblock(bytes: DataView): SuperblockOnDisk {
  return {
    bytes,
    copyIndex: bytes.getUint16(64, true),
    setId: setIdAt(bytes, 32),
    sequence: u64(bytes, 48),
    generation: u64(bytes, 56),
    unitBytes: bytes.getUint32(76, true),
    blockBytes: bytes.getUint32(80, true),
    mainSizeBytes: u64(bytes, 88),
    sampleValidMask: bytes.getUint32(392, true),
    openCount: bytes.getUint32(84, true),
    counters: Array.from({ length: bytes.getUint32(1376, true) }, (_, index) => u64(bytes, 1384 + index * 8)),
    settings: Array.from({ length: 64 }, (_, place) => bytes.getUint32(1896 + place * 4, true)),
    onLost: bytes.getUint8(1312),
    isClean: (bytes.getUint32(28, true) & 1) === 1,
    spares: Array.from({ length: bytes.getUint16(72, true) }, (_, index) => ({
      sizeBytes: u64(bytes, 544 + index * 64 + 16),
      firstUnit: u64(bytes, 544 + index * 64 + 24),
      unitCount: u64(bytes, 544 + index * 64 + 32),
      initialisedPageCount: u64(bytes, 544 + index * 64 + 40),
    })),
    copies: Array.from({ length: bytes.getUint16(70, true) }, (_, index) => ({
      spareIndex: bytes.getUint16(1056 + index * 32, true),
      offsetBytes: u64(bytes, 1056 + index * 32 + 8),
      lengthBytes: pageOffsetIn(u64(bytes, 1056 + index * 32 + 16)),
      pageCapacity: u64(bytes, 1056 + index * 32 + 16),
    })),
  };
}

function newestPage(spares: readonly Uint8Array[], superblock: SuperblockOnDisk, page: number): PageOnDisk {
  let newest: PageVersion | undefined;
  const versions = superblock.copies.map(({ spareIndex }, copyIndex) =>
    versionsIn(spares[spareIndex]!, superblock, copyIndex, page),
  );
  for (const version of versions.flat())
    if (version !== undefined && version.sequence > (newest?.sequence ?? 0)) newest = version;
  check(newest !== undefined, 'structure', `page ${page} is below the watermark and nowhere intact`);
  const { sequence, bytes } = newest;
  const holders = versions.map(
    (slots, copyIndex) =>
      page >= superblock.copies[copyIndex]!.pageCapacity ||
      slots.some((version) => version?.sequence === sequence),
  );
  return { page, sequence, bytes, holders };
}

interface PageVersion {
  readonly sequence: number;
  readonly bytes: DataView;
}

/** By slot: what a copy has of a page. */
function versionsIn(
  spare: Uint8Array,
  superblock: SuperblockOnDisk,
  copyIndex: number,
  page: number,
): (PageVersion | undefined)[] {
  if (page >= superblock.copies[copyIndex]!.pageCapacity) return [];
  return [0, 1].map((slot) => {
    const bytes = intactPage(spare, pageOffset(superblock.copies[copyIndex]!, page, slot), 'DMRPAGE\0');
    if (bytes === undefined || !isOf(bytes, superblock, copyIndex, slot, page)) return undefined;
    return { sequence: u64(bytes, 40), bytes };
  });
}

function isOf(
  bytes: DataView,
  superblock: SuperblockOnDisk,
  copyIndex: number,
  slot: number,
  page: number,
): boolean {
  const isHere = bytes.getUint16(12, true) === copyIndex && bytes.getUint16(14, true) === slot;
  if (!isHere || setIdAt(bytes, 16) !== superblock.setId || u64(bytes, 32) !== page) return false;
  return u64(bytes, 40) % 2 === slot && u64(bytes, 48) <= superblock.generation;
}

function mappingsOf({ page, bytes }: PageOnDisk): MappingOnDisk[] {
  return unitsInState(page, bytes, 1).map((spareUnit) => {
    const at = descriptorAt(spareUnit);
    return {
      spareUnit,
      mainUnit: u64(bytes, at),
      lostMask: bytes.getUint32(at + 8, true),
      moveCount: bytes.getUint8(at + 26),
      reason: bytes.getUint8(at + 28),
    };
  });
}

function retiredOf({ page, bytes }: PageOnDisk): number[] {
  return unitsInState(page, bytes, 2);
}

function unitsInState(page: number, bytes: DataView, state: number): number[] {
  const units: number[] = [];
  const first = page * DESCRIPTORS_PER_PAGE;
  for (let unit = first; unit < first + DESCRIPTORS_PER_PAGE; unit += 1) {
    if (bytes.getUint8(descriptorAt(unit) + 27) === state) units.push(unit);
  }
  return units;
}

function descriptorAt(spareUnit: number): number {
  return 64 + (spareUnit % DESCRIPTORS_PER_PAGE) * 32;
}

/** A block of 4096 bytes with this magic and a good CRC over all of it, the CRC's own bytes as zero. */
export function intactPage(spare: Uint8Array, offset: number, magic: string): DataView | undefined {
  for (let index = 0; index < 8; index += 1) {
    if (spare[offset + index] !== magic.charCodeAt(index)) return undefined;
  }
  const whole = spare.subarray(offset, offset + PAGE_BYTES);
  const bytes = new DataView(whole.buffer, whole.byteOffset, PAGE_BYTES);
  const before = crc32(whole.subarray(0, 8));
  const actual = crc32(whole.subarray(12), crc32(NO_CRC, before));
  return actual === bytes.getUint32(8, true) ? bytes : undefined;
}

function setIdAt(bytes: DataView, at: number): string {
  return [0, 4, 8, 12].map((part) => bytes.getUint32(at + part, true)).join('-');
}

function u64(bytes: DataView, at: number): number {
  return bytes.getUint32(at, true) + bytes.getUint32(at + 4, true) * 0x1_0000_0000;
}

export const PAGE_BYTES = 4096;
const DESCRIPTORS_PER_PAGE = 126;
const NO_CRC = new Uint8Array(4);
