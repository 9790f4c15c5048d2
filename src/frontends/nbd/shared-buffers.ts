import type { BufferPool } from './buffer-pool.js';
import { TurnGate } from './turn-gate.js';

/** The buffer pool as the connections of one server share it: counted, and in turns when memory is short. */
export class SharedBuffers {
  readonly gate = new TurnGate();
  private readonly pool: BufferPool;
  private count = 0;

  constructor(pool: BufferPool) {
    this.pool = pool;
  }

  /** Buffers that are allocated now. */
  get inUse(): number {
    return this.count;
  }

  /**
   * Offset of a buffer, or -1: the connection must try again later, and nobody else gets memory before. Whoever
   * needs several buffers calls this until it has all, then `gate.passed`.
   */
  allocate(connection: number, lengthBytes: number): number {
    if (!this.gate.mayTake(connection)) return -1;
    const memoryOffset = this.pool.allocate(lengthBytes);
    if (memoryOffset === -1) this.gate.blocked(connection);
    else this.count += 1;
    return memoryOffset;
  }

  free(memoryOffset: number): void {
    this.count -= 1;
    this.pool.free(memoryOffset);
  }
}
