import { assert } from '../../base/assert.js';
import { INBOX_BYTES, INBOX_SLAB_BYTES } from './limits.js';
import type { SharedBuffers } from './shared-buffers.js';

const PER_SLAB = INBOX_SLAB_BYTES / INBOX_BYTES;

/**
 * Blocks of memory that connections receive into. A block is counted by who uses it: the connection, and every
 * device write that takes its data straight out of it. Blocks are cut from slabs, lowest first; empty slabs go back.
 */
export class InboxBlocks {
  private readonly buffers: SharedBuffers;
  private readonly references: Uint16Array;
  /** Memory offset of each slab, or -1. */
  private readonly slabs: Float64Array;
  private readonly slabUsers: Uint8Array;

  constructor(buffers: SharedBuffers, blockCount: number) {
    const slabCount = Math.ceil(blockCount / PER_SLAB);
    this.buffers = buffers;
    this.references = new Uint16Array(slabCount * PER_SLAB);
    this.slabs = new Float64Array(slabCount).fill(-1);
    this.slabUsers = new Uint8Array(slabCount);
  }

  /** A block with one reference, or -1 when there is none now. Seldom called: it searches. */
  acquire(connection: number): number {
    for (let slab = 0; slab < this.slabs.length; slab += 1) {
      if (this.slabUsers[slab] === PER_SLAB) continue;
      if (this.slabs[slab] === -1 && !this.fillSlab(slab, connection)) return -1;
      this.slabUsers[slab]! += 1;
      const block = this.references.indexOf(0, slab * PER_SLAB);
      this.references[block] = 1;
      return block;
    }
    return -1;
  }

  addReference(block: number): void {
    this.references[block]! += 1;
  }

  dropReference(block: number): void {
    assert(this.references[block]! > 0, 'an inbox block is given back once');
    this.references[block]! -= 1;
    if (this.references[block] === 0) this.leaveSlab(Math.floor(block / PER_SLAB));
  }

  referenceCount(block: number): number {
    return this.references[block]!;
  }

  memoryOffset(block: number): number {
    return this.slabs[Math.floor(block / PER_SLAB)]! + (block % PER_SLAB) * INBOX_BYTES;
  }

  private fillSlab(slab: number, connection: number): boolean {
    const memoryOffset = this.buffers.allocate(connection, INBOX_SLAB_BYTES);
    if (memoryOffset === -1) return false;
    this.buffers.gate.passed(connection);
    this.slabs[slab] = memoryOffset;
    return true;
  }

  private leaveSlab(slab: number): void {
    this.slabUsers[slab]! -= 1;
    if (this.slabUsers[slab]! > 0) return;
    this.buffers.free(this.slabs[slab]!);
    this.slabs[slab] = -1;
  }
}
