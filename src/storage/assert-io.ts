import { assert } from '../base/assert.js';
import type { Geometry } from '../ports/block-store.js';
import type { IoMemory } from '../ports/io-memory.js';

/** The caller's side of the `BlockStore` contract: whole logical blocks inside the device. */
export function assertRange(geometry: Geometry, offsetBytes: number, lengthBytes: number): void {
  const { logicalBlockBytes, sizeBytes } = geometry;
  assert(offsetBytes >= 0 && offsetBytes % logicalBlockBytes === 0, 'offset of whole logical blocks');
  assert(lengthBytes > 0 && lengthBytes % logicalBlockBytes === 0, 'length of whole logical blocks');
  assert(offsetBytes + lengthBytes <= sizeBytes, 'range inside the device');
}

/** The same for the buffer: aligned and inside the memory. */
export function assertBuffer(
  geometry: Geometry,
  memory: IoMemory,
  memoryOffset: number,
  lengthBytes: number,
): void {
  assert(memoryOffset >= 0 && memoryOffset % geometry.memoryAlignmentBytes === 0, 'buffer aligned');
  assert(memoryOffset + lengthBytes <= memory.bytes.length, 'buffer inside the memory');
}
