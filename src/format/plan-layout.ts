import { assert } from '../base/assert.js';
import { failed, ok, type Result } from '../base/result.js';
import { isPowerOfTwo } from '../base/units.js';
import {
  type CopyLayout,
  DESCRIPTORS_PER_PAGE,
  type Layout,
  MAX_BLOCKS_PER_UNIT,
  MAX_COPIES,
  MAX_MAIN_BYTES,
  MAX_SPARE_UNITS,
  MAX_SPARES,
  MAX_UNIT_BYTES,
  MIN_SPARE_BYTES,
  regionBytes,
  type SpareLayout,
  ZONE_COUNT,
  zoneEndBytes,
  zoneStartBytes,
} from './layout.js';
import { usableUnitCountOf } from './reserved-units.js';

/** Lays out a new set: which unit numbers each spare has, and where the metadata copies go. */
export function planLayout(request: LayoutRequest): Result<Layout, LayoutFailure> {
  const refused = refuseNumbers(request) ?? refuseSpares(request);
  if (refused !== undefined) return failed(refused);
  const layout = place(request);
  const unitCount = layout.pageCount * DESCRIPTORS_PER_PAGE;
  if (unitCount > MAX_SPARE_UNITS)
    return failed({ kind: 'tooManyUnits', unitCount, maximum: MAX_SPARE_UNITS });
  const spareIndex = layout.spares.findIndex((_, index) => !fits(layout, index));
  return spareIndex === -1 ? ok(layout) : failed(doesNotFit(request, spareIndex));
}

export interface LayoutRequest {
  readonly mainSizeBytes: number;
  readonly logicalBlockBytes: number;
  readonly unitBytes: number;
  readonly copyCount: number;
  readonly spareSizesBytes: readonly number[];
}

export type LayoutFailure =
  | { readonly kind: 'badLogicalBlock'; readonly logicalBlockBytes: number }
  /** Not a power of two, below the logical block or above `maximumBytes`. */
  | {
      readonly kind: 'badUnit';
      readonly unitBytes: number;
      readonly minimumBytes: number;
      readonly maximumBytes: number;
    }
  /** Zero, more than `MAX_MAIN_BYTES`, or not whole logical blocks. */
  | { readonly kind: 'badMainSize'; readonly mainSizeBytes: number }
  | { readonly kind: 'badSpareCount'; readonly spareCount: number; readonly maximum: number }
  /** `minimum`: one copy for each spare. */
  | {
      readonly kind: 'badCopyCount';
      readonly copyCount: number;
      readonly minimum: number;
      readonly maximum: number;
    }
  /** `minimumBytes` would do, with the other spares as they are. */
  | {
      readonly kind: 'spareTooSmall';
      readonly spareIndex: number;
      readonly sizeBytes: number;
      readonly minimumBytes: number;
    }
  /** No larger size of this spare would do. `enoughUnitBytes` would; undefined: no units would alone, or those of a set are kept. */
  | {
      readonly kind: 'metadataTooLarge';
      readonly unitBytes: number;
      readonly copyCount: number;
      readonly enoughUnitBytes: number | undefined;
    }
  /** The spares have more units than the format allows: larger units are needed. */
  | { readonly kind: 'tooManyUnits'; readonly unitCount: number; readonly maximum: number };

/** Pages of unit numbers for a spare of this size; the format's rule, which a reader checks. */
export function unitCountFor(spareSizeBytes: number, unitBytes: number): number {
  return Math.ceil(Math.floor(spareSizeBytes / unitBytes) / DESCRIPTORS_PER_PAGE) * DESCRIPTORS_PER_PAGE;
}

function refuseNumbers(request: LayoutRequest): LayoutFailure | undefined {
  const { logicalBlockBytes, unitBytes, mainSizeBytes } = request;
  if (logicalBlockBytes !== 512 && logicalBlockBytes !== 4096)
    return { kind: 'badLogicalBlock', logicalBlockBytes };
  const maximumBytes = maximumUnitBytes(logicalBlockBytes);
  if (!isPowerOfTwo(unitBytes) || unitBytes < logicalBlockBytes || unitBytes > maximumBytes) {
    return { kind: 'badUnit', unitBytes, minimumBytes: logicalBlockBytes, maximumBytes };
  }
  const wholeBlocks = mainSizeBytes <= MAX_MAIN_BYTES && mainSizeBytes % logicalBlockBytes === 0;
  return wholeBlocks && mainSizeBytes > 0 ? undefined : { kind: 'badMainSize', mainSizeBytes };
}

function maximumUnitBytes(logicalBlockBytes: number): number {
  return Math.min(MAX_UNIT_BYTES, MAX_BLOCKS_PER_UNIT * logicalBlockBytes);
}

function refuseSpares(request: LayoutRequest): LayoutFailure | undefined {
  const { copyCount, spareSizesBytes } = request;
  const spareCount = spareSizesBytes.length;
  if (spareCount < 1 || spareCount > MAX_SPARES)
    return { kind: 'badSpareCount', spareCount, maximum: MAX_SPARES };
  if (!Number.isInteger(copyCount) || copyCount < spareCount || copyCount > MAX_COPIES) {
    return { kind: 'badCopyCount', copyCount, minimum: spareCount, maximum: MAX_COPIES };
  }
  for (const sizeBytes of spareSizesBytes)
    assert(Number.isSafeInteger(sizeBytes), `spare of ${sizeBytes} bytes`);
  const small = spareSizesBytes.findIndex((sizeBytes) => sizeBytes < MIN_SPARE_BYTES);
  return small === -1 ? undefined : doesNotFit(request, small);
}

function place(request: LayoutRequest): Layout {
  const spares: SpareLayout[] = [];
  let firstUnit = 0;
  for (const sizeBytes of request.spareSizesBytes) {
    const unitCount = unitCountFor(sizeBytes, request.unitBytes);
    spares.push({ sizeBytes, firstUnit, unitCount });
    firstUnit += unitCount;
  }
  const pageCount = firstUnit / DESCRIPTORS_PER_PAGE;
  const copies = Array.from({ length: request.copyCount }, (_, copyIndex): CopyLayout => {
    const { spareIndex, zone } = homeOfCopy(copyIndex, request.copyCount, spares.length);
    const offsetBytes = zoneStartBytes(spares[spareIndex]!.sizeBytes, zone);
    return { spareIndex, offsetBytes, pageCapacity: pageCount };
  });
  return { unitBytes: request.unitBytes, pageCount, spares, copies };
}

/** Copies go round the spares; those of one spare spread from its first zone to its last. */
function homeOfCopy(
  copyIndex: number,
  copyCount: number,
  spareCount: number,
): { spareIndex: number; zone: number } {
  const spareIndex = copyIndex % spareCount;
  const nth = Math.floor(copyIndex / spareCount);
  const onThisSpare = Math.floor((copyCount - 1 - spareIndex) / spareCount) + 1;
  return { spareIndex, zone: zoneOfCopy(nth, onThisSpare) };
}

/** Of the copies on one spare, the n-th lies in this zone: from the first zone to the last. */
export function zoneOfCopy(nth: number, copyCount: number): number {
  return copyCount === 1 ? 0 : Math.round((nth * (ZONE_COUNT - 1)) / (copyCount - 1));
}

/** A spare keeps half of itself for data, at least one unit, and each region ends where the next zone starts. */
export function fits(layout: Layout, spareIndex: number): boolean {
  const { sizeBytes } = layout.spares[spareIndex]!;
  const copies = layout.copies.filter((copy) => copy.spareIndex === spareIndex);
  const neededBytes = copies.reduce((sum, { pageCapacity }) => sum + regionBytes(pageCapacity), 0);
  if (neededBytes > sizeBytes / 2) return false;
  const zonesSuffice = copies.every(
    ({ offsetBytes, pageCapacity }) =>
      offsetBytes + regionBytes(pageCapacity) <= endOfZoneAt(sizeBytes, offsetBytes),
  );
  return zonesSuffice && usableUnitCountOf(layout, spareIndex) > 0;
}

function endOfZoneAt(sizeBytes: number, offsetBytes: number): number {
  let zone = ZONE_COUNT - 1;
  while (zoneStartBytes(sizeBytes, zone) > offsetBytes) zone -= 1;
  return zoneEndBytes(sizeBytes, zone);
}

function doesNotFit(request: LayoutRequest, spareIndex: number): LayoutFailure {
  const sizeBytes = request.spareSizesBytes[spareIndex]!;
  const minimumBytes = minimumSizeBytes(sizeBytes, (tried) => {
    const spareSizesBytes = request.spareSizesBytes.with(spareIndex, tried);
    return fits(place({ ...request, spareSizesBytes }), spareIndex);
  });
  const { unitBytes, copyCount } = request;
  if (minimumBytes === undefined) {
    const enoughUnitBytes = enoughUnitBytesFor(request);
    return { kind: 'metadataTooLarge', unitBytes, copyCount, enoughUnitBytes };
  }
  return { kind: 'spareTooSmall', spareIndex, sizeBytes, minimumBytes };
}

/** The smallest larger units with which all spares would do as they are. */
function enoughUnitBytesFor(request: LayoutRequest): number | undefined {
  const maximumBytes = maximumUnitBytes(request.logicalBlockBytes);
  if (request.spareSizesBytes.some((sizeBytes) => sizeBytes < MIN_SPARE_BYTES)) return undefined;
  for (let unitBytes = 2 * request.unitBytes; unitBytes <= maximumBytes; unitBytes *= 2) {
    const layout = place({ ...request, unitBytes });
    if (layout.spares.every((_, index) => fits(layout, index))) return unitBytes;
  }
  return undefined;
}

/**
 * The next larger size than one that does not fit, in whole MiB, that does, where one MiB less does not; found by
 * doubling, then halving the gap.
 */
export function minimumSizeBytes(
  sizeBytes: number,
  fitsWith: (sizeBytes: number) => boolean,
): number | undefined {
  let tooLittle = Math.floor(sizeBytes / MIN_SPARE_BYTES);
  let enough = tooLittle + 1;
  while (!fitsWith(enough * MIN_SPARE_BYTES)) {
    tooLittle = enough;
    enough *= 2;
    if (enough > LARGEST_SPARE_TRIED_MIB) return undefined;
  }
  while (enough - tooLittle > 1) {
    const middle = Math.floor((enough + tooLittle) / 2);
    if (fitsWith(middle * MIN_SPARE_BYTES)) enough = middle;
    else tooLittle = middle;
  }
  return enough * MIN_SPARE_BYTES;
}

/** 16 TiB, where every spare has more units than the format allows. */
const LARGEST_SPARE_TRIED_MIB = 2 ** 24;
