import type { SuperblockOnDisk } from '../metadata-reader.js';

/** What is recorded of a copying with this number: parts of the main device that are settled, in bytes, and how many there are. */
export function settledOnDisk({ bytes, mainSizeBytes }: SuperblockOnDisk, copyId: Uint8Array): SettledOnDisk {
  const isOfIt = copyId.every((byte, index) => bytes.getUint8(COPY_ID + index) === byte);
  const partBytes = Number(bytes.getBigUint64(PART_BYTES, true));
  if (!isOfIt || partBytes === 0) return { partCount: 0, settled: [] };
  const partCount = Math.ceil(mainSizeBytes / partBytes);
  const isSettled = (part: number): boolean =>
    ((bytes.getUint8(PARTS + (part >> 3)) >> (part & 7)) & 1) === 1;
  const settled = [...Array(partCount).keys()].filter(isSettled).map((part) => ({
    from: part * partBytes,
    to: Math.min((part + 1) * partBytes, mainSizeBytes),
  }));
  return { partCount, settled };
}

export interface SettledOnDisk {
  readonly partCount: number;
  readonly settled: readonly { readonly from: number; readonly to: number }[];
}

/** Places in a superblock (docs/on-disk-format.md). */
const COPY_ID = 2152;
const PART_BYTES = 2168;
const PARTS = 2176;
