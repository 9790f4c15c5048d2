import { assert } from '../../../base/assert.js';
import { alignUp } from '../../../base/units.js';
import type { BufferPool } from '../buffer-pool.js';

/** A plain pool that remembers every buffer, so that a leak or a double free is seen. */
export class FirstFitPool implements BufferPool {
  private readonly sizeBytes: number;
  /** Buffers by offset, in order. */
  private buffers: { offset: number; end: number }[] = [];

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
  }

  get count(): number {
    return this.buffers.length;
  }

  allocate(lengthBytes: number): number {
    assert(lengthBytes > 0, 'a buffer has a length');
    const wanted = alignUp(lengthBytes, 4096);
    let offset = 0;
    let index = 0;
    for (const buffer of this.buffers) {
      if (offset + wanted <= buffer.offset) break;
      offset = buffer.end;
      index += 1;
    }
    if (offset + wanted > this.sizeBytes) return -1;
    this.buffers.splice(index, 0, { offset, end: offset + wanted });
    return offset;
  }

  free(memoryOffset: number): void {
    const index = this.buffers.findIndex((buffer) => buffer.offset === memoryOffset);
    assert(index !== -1, `not allocated: ${memoryOffset}`);
    this.buffers.splice(index, 1);
  }
}
