import { METADATA_PAGE_BYTES, pageOffsetBytes, superblockOffsetBytes } from '../../format/layout.js';
import type { Superblock } from '../../format/superblock.js';
import { DeviceOnMemory, type DeviceOnMemoryOptions } from './device-on-memory.js';
import type { JudgedIo } from './scripted-store.js';
import { TestClient } from './test-client.js';
import { BLOCK_BYTES, fillBlock } from './workload.js';

/** A formatted device whose main disk holds in each block its number plus one; to be opened by the test. */
export function numberedDevice(options: Partial<DeviceOnMemoryOptions> & { copies?: number } = {}): {
  rig: DeviceOnMemory;
  client: TestClient;
} {
  const { copies = 5, ...rest } = options;
  const rig = new DeviceOnMemory({ mainBytes: 4 << 20, spareBytes: [4 << 20], ...rest });
  const { contents } = rig.disks[0]!;
  const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
  for (let block = 0; block < contents.length / BLOCK_BYTES; block += 1)
    fillBlock(contents, view, block * BLOCK_BYTES, block + 1);
  rig.format(copies);
  return { rig, client: new TestClient(rig) };
}

/** Blocks `first` to `first + count - 1` as they were to begin with. */
export function original(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index + 1);
}

export function times<Value>(count: number, value: Value): Value[] {
  return new Array<Value>(count).fill(value);
}

/** True for I/O that touches these blocks. */
export function touchesBlocks(io: JudgedIo, first: number, count: number): boolean {
  const end = (first + count) * BLOCK_BYTES;
  return io.offsetBytes < end && io.offsetBytes + io.lengthBytes > first * BLOCK_BYTES;
}

/** True for I/O on a spare that touches one of its metadata copies; `target` is the spare's. */
export function touchesMetadata(io: JudgedIo, superblock: Superblock, target: number): boolean {
  return superblock.copies.some(
    (copy) =>
      copy.spareIndex === target - 1 &&
      io.offsetBytes < copy.offsetBytes + copyBytes(superblock) &&
      io.offsetBytes + io.lengthBytes > copy.offsetBytes,
  );
}

/** The bytes of one metadata copy on its medium: superblock slots and pages. */
export function copyOnMedium(rig: DeviceOnMemory, superblock: Superblock, copyIndex: number): Uint8Array {
  const copy = superblock.copies[copyIndex]!;
  const { contents } = rig.disks[1 + copy.spareIndex]!;
  return contents.subarray(copy.offsetBytes, copy.offsetBytes + copyBytes(superblock));
}

/** A slot of a page of one copy on its medium. */
export function pageOnMedium(
  rig: DeviceOnMemory,
  superblock: Superblock,
  copyIndex: number,
  page: number,
  slot: number,
): Uint8Array {
  const copy = superblock.copies[copyIndex]!;
  const at = pageOffsetBytes(copy, page, slot);
  return rig.disks[1 + copy.spareIndex]!.contents.subarray(at, at + METADATA_PAGE_BYTES);
}

/** A slot of one copy's superblock on its medium. */
export function superblockOnMedium(
  rig: DeviceOnMemory,
  superblock: Superblock,
  copyIndex: number,
  slot: number,
): Uint8Array {
  const copy = superblock.copies[copyIndex]!;
  const at = superblockOffsetBytes(copy, slot);
  return rig.disks[1 + copy.spareIndex]!.contents.subarray(at, at + METADATA_PAGE_BYTES);
}

function copyBytes(superblock: Superblock): number {
  const { pageCapacity } = superblock.copies[0]!;
  return (
    pageOffsetBytes(superblock.copies[0]!, pageCapacity - 1, 1) +
    METADATA_PAGE_BYTES -
    superblock.copies[0]!.offsetBytes
  );
}
