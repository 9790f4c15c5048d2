import { isPowerOfTwo } from '../base/units.js';

/**
 * How far a set is copied to the disk that is to become its main device, as the superblock keeps it, so that the copying goes
 * on after a crash. The main device is cut into parts; one that is settled lies on both disks durably, and the same. What a
 * crash may have changed on one of them only is always in a part that is not.
 */
export interface CopyPosition {
  /** 16 bytes, new for each copying: the set does not know the disk. */
  readonly copyId: Uint8Array;
  /** The last part may be smaller. */
  readonly partBytes: number;
  /** `MAX_PARTS` bits, part n is bit n % 8 of byte n / 8. */
  readonly settled: Uint8Array;
}

export const MAX_PARTS = 8192;
export const COPY_ID_BYTES = 16;
/** Regions, of which `RegionFilter` has a flag each, must not lie in two parts. */
export const MIN_PART_BYTES = 1 << 20;

/** The smallest that there are enough bits for. */
export function partBytesFor(mainSizeBytes: number): number {
  let partBytes = MIN_PART_BYTES;
  while (partBytes * MAX_PARTS < mainSizeBytes) partBytes *= 2;
  return partBytes;
}

/** As found; undefined where no copying is recorded, or nothing that can be one of a main device of this size. */
export function plausiblePosition(position: CopyPosition, mainSizeBytes: number): CopyPosition | undefined {
  const { copyId, partBytes } = position;
  const isOfParts = isPowerOfTwo(partBytes) && partBytes >= MIN_PART_BYTES;
  const isThere = copyId.some((byte) => byte !== 0);
  return isThere && isOfParts && partBytes * MAX_PARTS >= mainSizeBytes ? position : undefined;
}

/** What is written where there is none. */
export const NO_POSITION: CopyPosition = {
  copyId: new Uint8Array(COPY_ID_BYTES),
  partBytes: 0,
  settled: new Uint8Array(MAX_PARTS / 8),
};
