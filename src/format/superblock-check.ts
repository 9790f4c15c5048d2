import { isPowerOfTwo } from '../base/units.js';
import {
  type CopyLayout,
  DESCRIPTORS_PER_PAGE,
  endPageOfSpare,
  MAX_BLOCKS_PER_UNIT,
  MAX_MAIN_BYTES,
  MAX_SEQUENCE,
  MAX_SPARE_UNITS,
  MAX_UNIT_BYTES,
  METADATA_PAGE_BYTES,
  MIN_SPARE_BYTES,
  regionBytes,
} from './layout.js';
import { unitCountFor } from './plan-layout.js';
import { IncompatFeature, OnLost, type SpareRecord, type Superblock, slotOf } from './superblock.js';
import type { SuperblockPlace } from './superblock-fields.js';

/**
 * Whether all numbers of a superblock are within the format's limits and agree with each other. A CRC says that the
 * bytes are what somebody wrote; this says that whoever uses them will not leave a device, a table or a loop's bounds.
 */
export function isPlausible(superblock: Superblock, place: SuperblockPlace): boolean {
  return (
    numbersAreExact(superblock) &&
    sizesAgree(superblock) &&
    mainDeviceAgrees(superblock) &&
    sparesAgree(superblock) &&
    copiesAgree(superblock) &&
    placeAgrees(superblock, place)
  );
}

function numbersAreExact({
  sequence,
  generation,
  createdSeconds,
  updatedSeconds,
  counters,
}: Superblock): boolean {
  const isCountable = sequence <= MAX_SEQUENCE && generation <= MAX_SEQUENCE;
  return isCountable && [createdSeconds, updatedSeconds, ...counters].every(Number.isSafeInteger);
}

function sizesAgree({ mainSizeBytes, logicalBlockBytes, unitBytes, onLost }: Superblock): boolean {
  if (logicalBlockBytes !== 512 && logicalBlockBytes !== 4096) return false;
  const maximumBytes = Math.min(MAX_UNIT_BYTES, MAX_BLOCKS_PER_UNIT * logicalBlockBytes);
  const unitFits = isPowerOfTwo(unitBytes) && unitBytes >= logicalBlockBytes && unitBytes <= maximumBytes;
  const mainFits =
    mainSizeBytes > 0 && mainSizeBytes <= MAX_MAIN_BYTES && mainSizeBytes % logicalBlockBytes === 0;
  return unitFits && mainFits && (onLost === OnLost.error || onLost === OnLost.zero);
}

/** Never smaller than what is served of it, and its blocks never larger. */
function mainDeviceAgrees(superblock: Superblock): boolean {
  const { mainSizeBytes, logicalBlockBytes, mainDeviceBytes, mainDeviceBlockBytes } = superblock;
  const sizeFits =
    mainDeviceBytes === 0 || (mainDeviceBytes > mainSizeBytes && mainDeviceBytes <= MAX_MAIN_BYTES);
  return (
    sizeFits && (mainDeviceBlockBytes === 0 || (mainDeviceBlockBytes === 512 && logicalBlockBytes > 512))
  );
}

function sparesAgree({ spares, unitBytes, pageCount }: Superblock): boolean {
  let firstUnit = 0;
  for (const spare of spares) {
    if (spare.firstUnit !== firstUnit || !spareAgrees(spare, unitBytes)) return false;
    firstUnit += spare.unitCount;
  }
  return spares.length > 0 && firstUnit <= MAX_SPARE_UNITS && pageCount * DESCRIPTORS_PER_PAGE === firstUnit;
}

function spareAgrees(spare: SpareRecord, unitBytes: number): boolean {
  const { sizeBytes, unitCount, initialisedPageCount } = spare;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < MIN_SPARE_BYTES) return false;
  return (
    unitCount === unitCountFor(sizeBytes, unitBytes) &&
    initialisedPageCount * DESCRIPTORS_PER_PAGE <= unitCount
  );
}

function copiesAgree(superblock: Superblock): boolean {
  const { copies, spares } = superblock;
  const eachFits = copies.every((copy) => {
    const spare = spares[copy.spareIndex];
    if (spare === undefined || !capacityAgrees(superblock, copy, spare)) return false;
    return copy.offsetBytes % METADATA_PAGE_BYTES === 0 && endBytes(copy) <= spare.sizeBytes;
  });
  const everySpareHasOne = spares.every((_, index) => copies.some((copy) => copy.spareIndex === index));
  return (
    eachFits &&
    everySpareHasOne &&
    !copies.some((copy, index) => copies.slice(index + 1).some((other) => overlap(copy, other)))
  );
}

/** Without the feature, all pages; with it, whole spares' pages, and those of its own spare among them. */
function capacityAgrees(superblock: Superblock, { pageCapacity }: CopyLayout, own: SpareRecord): boolean {
  const { features, spares, pageCount } = superblock;
  if (!Number.isSafeInteger(pageCapacity)) return false;
  if (pageCapacity >= pageCount) return true;
  if ((features.incompat & IncompatFeature.partialCopies) === 0) return false;
  const endsWithSpare = spares.some((spare) => endPageOfSpare(spare) === pageCapacity);
  return endsWithSpare && pageCapacity >= endPageOfSpare(own);
}

function overlap(copy: CopyLayout, other: CopyLayout): boolean {
  if (copy.spareIndex !== other.spareIndex) return false;
  return copy.offsetBytes < endBytes(other) && other.offsetBytes < endBytes(copy);
}

function endBytes(copy: CopyLayout): number {
  return copy.offsetBytes + regionBytes(copy.pageCapacity);
}

function placeAgrees({ copies, sequence }: Superblock, place: SuperblockPlace): boolean {
  return place.slot === slotOf(sequence) && copies[place.copyIndex]?.spareIndex === place.spareIndex;
}
