import { assert } from '../base/assert.js';
import { isPowerOfTwo, SECTOR_BYTES } from '../base/units.js';
import { ATTRIBUTE, PARAM_TYPE, PARAMS } from './ublk-abi.js';

/** What a ublk block device says of itself to the block layer. */
export interface UblkParams {
  readonly sizeBytes: number;
  readonly logicalBlockBytes: number;
  readonly physicalBlockBytes: number;
  readonly minimumIoBytes: number;
  /** 0: no wish. */
  readonly optimalIoBytes: number;
  readonly maxIoBytes: number;
  readonly rotational: boolean;
  readonly readOnly: boolean;
  /** Flushes and FUA writes are sent only with it. */
  readonly volatileCache: boolean;
  /** 0: no discard. */
  readonly discardGranularityBytes: number;
  readonly canWriteZeroes: boolean;
  /** Addresses of client memory are multiples of this; matters where requests go down without a copy. */
  readonly memoryAlignmentBytes: number;
}

/** struct ublk_params, all of it; a driver that knows less ignores what stands behind its own. */
export function encodeParams(params: UblkParams, view: DataView): void {
  for (let at = 0; at < PARAMS.SIZE_BYTES; at += 4) view.setUint32(at, 0, true);
  view.setUint32(PARAMS.LENGTH, PARAMS.SIZE_BYTES, true);
  const hasRanges = params.discardGranularityBytes > 0 || params.canWriteZeroes;
  const rangeType = hasRanges ? PARAM_TYPE.DISCARD : 0;
  view.setUint32(PARAMS.TYPES, PARAM_TYPE.BASIC | PARAM_TYPE.DMA_ALIGN | rangeType, true);
  encodeBasic(params, view);
  if (hasRanges) encodeRanges(params, view);
  view.setUint32(PARAMS.DMA_ALIGNMENT_MASK, params.memoryAlignmentBytes - 1, true);
}

function encodeBasic(params: UblkParams, view: DataView): void {
  let attributes = 0;
  if (params.readOnly) attributes |= ATTRIBUTE.READ_ONLY;
  if (params.rotational) attributes |= ATTRIBUTE.ROTATIONAL;
  if (params.volatileCache) attributes |= ATTRIBUTE.VOLATILE_CACHE | ATTRIBUTE.FUA;
  view.setUint32(PARAMS.ATTRIBUTES, attributes, true);
  view.setUint8(PARAMS.LOGICAL_BLOCK_SHIFT, shiftOf(params.logicalBlockBytes));
  view.setUint8(PARAMS.PHYSICAL_BLOCK_SHIFT, shiftOf(params.physicalBlockBytes));
  view.setUint8(PARAMS.MINIMUM_IO_SHIFT, shiftOf(roundedDown(params.minimumIoBytes)));
  // The driver knows powers of two only; a stripe of three disks is better not said than said wrong.
  const { optimalIoBytes } = params;
  if (isPowerOfTwo(optimalIoBytes)) view.setUint8(PARAMS.OPTIMAL_IO_SHIFT, shiftOf(optimalIoBytes));
  view.setUint32(PARAMS.MAX_SECTORS, params.maxIoBytes / SECTOR_BYTES, true);
  view.setBigUint64(PARAMS.DEVICE_SECTORS, BigInt(params.sizeBytes / SECTOR_BYTES), true);
}

function encodeRanges(params: UblkParams, view: DataView): void {
  const granularity = params.discardGranularityBytes || params.logicalBlockBytes;
  view.setUint32(PARAMS.DISCARD_GRANULARITY, granularity, true);
  view.setUint32(
    PARAMS.MAX_DISCARD_SECTORS,
    params.discardGranularityBytes > 0 ? MAX_RANGE_SECTORS : 0,
    true,
  );
  view.setUint32(PARAMS.MAX_WRITE_ZEROES_SECTORS, params.canWriteZeroes ? MAX_RANGE_SECTORS : 0, true);
  view.setUint16(PARAMS.MAX_DISCARD_SEGMENTS, 1, true);
}

function shiftOf(sizeBytes: number): number {
  assert(isPowerOfTwo(sizeBytes), `not a power of two: ${sizeBytes}`);
  return Math.log2(sizeBytes);
}

function roundedDown(sizeBytes: number): number {
  return 2 ** Math.floor(Math.log2(sizeBytes));
}

/** 64 MiB: long enough to be cheap, short enough that one range does not hold up others for seconds. */
const MAX_RANGE_SECTORS = (64 << 20) / SECTOR_BYTES;
