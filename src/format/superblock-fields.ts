import {
  byteString,
  list,
  type RecordFields,
  readRecord,
  text,
  u8,
  u16,
  u32,
  u64,
  writeRecord,
} from './codec.js';
import { COPY_ID_BYTES, MAX_PARTS, NO_POSITION, plausiblePosition } from './copy-position.js';
import { type CopyLayout, DESCRIPTORS_PER_PAGE, MAX_COPIES, MAX_SPARES } from './layout.js';
import {
  CompatFeature,
  type ContentSample,
  FORMAT_VERSION,
  MAX_COUNTERS,
  MAX_SETTINGS,
  SAMPLE_COUNT,
  type SpareRecord,
  type Superblock,
  TEXT_BYTES,
} from './superblock.js';

/** The superblock's layout. What lies between the fields is reserved: written as zero, not looked at. */
export function writeSuperblockFields(view: DataView, superblock: Superblock, place: SuperblockPlace): void {
  const { features, contentSample, copies, spares, counters, copyPosition = NO_POSITION } = superblock;
  writeRecord(HEAD, view, 0, {
    ...superblock,
    ...place,
    ...features,
    formatVersion: FORMAT_VERSION,
    flags: superblock.cleanShutdown ? FLAG_CLEAN_SHUTDOWN : 0,
    copyCount: copies.length,
    spareCount: spares.length,
    descriptorsPerPage: DESCRIPTORS_PER_PAGE,
    sampleValidMask: contentSample.validMask,
    sampleCrcs: contentSample.crcs,
    counterCount: counters.length,
    copyId: copyPosition.copyId,
    copyPartBytes: copyPosition.partBytes,
    settledParts: copyPosition.settled,
  });
  for (const [index, spare] of spares.entries()) writeRecord(SPARE, view, spareAt(index), spare);
  for (const [index, copy] of copies.entries()) writeRecord(COPY, view, copyAt(index), copy);
}

/** The fields as they are, not judged; undefined when the tables have more entries than there is room for. */
export function readSuperblockFields(
  view: DataView,
): { readonly superblock: Superblock; readonly place: SuperblockPlace } | undefined {
  const head = readRecord(HEAD, view, 0);
  const { spareCount, copyCount, counterCount } = head;
  const roomForAll = spareCount <= MAX_SPARES && copyCount <= MAX_COPIES && counterCount <= MAX_COUNTERS;
  if (!roomForAll || head.descriptorsPerPage !== DESCRIPTORS_PER_PAGE) return undefined;
  const { copyIndex, slot, spareIndex } = head;
  return { superblock: superblockOf(view, head), place: { copyIndex, slot, spareIndex } };
}

/** Which of its copies a superblock is. */
export interface SuperblockPlace {
  readonly copyIndex: number;
  readonly slot: number;
  readonly spareIndex: number;
}

/** Everything at a fixed place, by name; the tables are apart. */
interface Head
  extends SuperblockPlace,
    Omit<Superblock, 'features' | 'cleanShutdown' | 'contentSample' | 'spares' | 'copies' | 'copyPosition'> {
  readonly formatVersion: number;
  readonly compat: number;
  readonly roCompat: number;
  readonly incompat: number;
  readonly flags: number;
  readonly copyCount: number;
  readonly spareCount: number;
  readonly descriptorsPerPage: number;
  readonly sampleValidMask: ContentSample['validMask'];
  readonly sampleCrcs: ContentSample['crcs'];
  readonly counterCount: number;
  readonly copyId: Uint8Array;
  readonly copyPartBytes: number;
  readonly settledParts: Uint8Array;
}

const FLAG_CLEAN_SHUTDOWN = 1;

export const HEAD: RecordFields<Head> = {
  formatVersion: u16(12),
  compat: u32(16),
  roCompat: u32(20),
  incompat: u32(24),
  flags: u32(28),
  setId: byteString(32, 16),
  sequence: u64(48),
  generation: u64(56),
  copyIndex: u16(64),
  slot: u16(66),
  spareIndex: u16(68),
  copyCount: u16(70),
  spareCount: u16(72),
  descriptorsPerPage: u16(74),
  unitBytes: u32(76),
  logicalBlockBytes: u32(80),
  openCount: u32(84),
  mainSizeBytes: u64(88),
  pageCount: u64(96),
  createdSeconds: u64(104),
  updatedSeconds: u64(112),
  mainDeviceBytes: u64(120),
  mainDeviceBlockBytes: u32(128),
  name: text(136, TEXT_BYTES),
  mainModel: text(200, TEXT_BYTES),
  mainSerial: text(264, TEXT_BYTES),
  mainWwn: text(328, TEXT_BYTES),
  sampleValidMask: u32(392),
  sampleCrcs: list(u32, 400, SAMPLE_COUNT),
  pageSequenceSum: u64(528),
  onLost: u8(1312),
  counterCount: u32(1376),
  counters: list(u64, 1384, MAX_COUNTERS),
  settings: list(u32, 1896, MAX_SETTINGS),
  copyId: byteString(2152, COPY_ID_BYTES),
  copyPartBytes: u64(2168),
  settledParts: byteString(2176, MAX_PARTS / 8),
};

export const SPARE: RecordFields<SpareRecord> = {
  uuid: byteString(0, 16),
  sizeBytes: u64(16),
  firstUnit: u64(24),
  unitCount: u64(32),
  initialisedPageCount: u64(40),
};

export const COPY: RecordFields<CopyLayout> = {
  spareIndex: u16(0),
  offsetBytes: u64(8),
  pageCapacity: u64(16),
};

export function spareAt(index: number): number {
  return 544 + 64 * index;
}

export function copyAt(index: number): number {
  return 1056 + 32 * index;
}

function superblockOf(view: DataView, head: Head): Superblock {
  const {
    compat,
    roCompat,
    incompat,
    flags,
    sampleValidMask,
    sampleCrcs,
    spareCount,
    copyCount,
    counterCount,
  } = head;
  const isOtherMain = (compat & CompatFeature.mainDevice) !== 0;
  return {
    features: { compat, roCompat, incompat },
    cleanShutdown: (flags & FLAG_CLEAN_SHUTDOWN) !== 0,
    setId: head.setId,
    sequence: head.sequence,
    generation: head.generation,
    unitBytes: head.unitBytes,
    logicalBlockBytes: head.logicalBlockBytes,
    openCount: head.openCount,
    mainSizeBytes: head.mainSizeBytes,
    mainDeviceBytes: isOtherMain ? head.mainDeviceBytes : 0,
    mainDeviceBlockBytes: isOtherMain ? head.mainDeviceBlockBytes : 0,
    pageCount: head.pageCount,
    createdSeconds: head.createdSeconds,
    updatedSeconds: head.updatedSeconds,
    name: head.name,
    mainModel: head.mainModel,
    mainSerial: head.mainSerial,
    mainWwn: head.mainWwn,
    contentSample: { validMask: sampleValidMask, crcs: sampleCrcs },
    pageSequenceSum: head.pageSequenceSum,
    spares: Array.from({ length: spareCount }, (_, index) => readRecord(SPARE, view, spareAt(index))),
    copies: Array.from({ length: copyCount }, (_, index) => readRecord(COPY, view, copyAt(index))),
    onLost: head.onLost,
    counters: head.counters.slice(0, counterCount),
    settings: withoutZeroesAtEnd(head.settings),
    copyPosition: plausiblePosition(
      { copyId: head.copyId, partBytes: head.copyPartBytes, settled: head.settledParts },
      head.mainSizeBytes,
    ),
  };
}

function withoutZeroesAtEnd(numbers: readonly number[]): readonly number[] {
  return numbers.slice(0, numbers.findLastIndex((number) => number !== 0) + 1);
}
