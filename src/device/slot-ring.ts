import { assert } from '../base/assert.js';

/**
 * A line of numbers from one thread to one other, in shared memory. The producer stores an entry and then, atomically,
 * the new end; the consumer loads the end atomically before it reads entries: so it sees them, and whatever else the
 * producer wrote before. Never full: there are at most as many entries as slots, each slot once.
 */
export class SlotRing {
  /** Ever growing, modulo 2^32: entries taken, and entries put in. */
  readonly #head: Int32Array;
  readonly #tail: Int32Array;
  readonly #entries: Int32Array;
  readonly #mask: number;

  /** `buffer` has `slotRingBytes(slotCount)` from `startBytes` on, a multiple of 4. */
  constructor(slotCount: number, buffer: SharedArrayBuffer, startBytes: number) {
    const capacity = capacityFor(slotCount);
    this.#head = new Int32Array(buffer, startBytes, 1);
    this.#tail = new Int32Array(buffer, startBytes + LINE_BYTES, 1);
    this.#entries = new Int32Array(buffer, startBytes + 2 * LINE_BYTES, capacity);
    this.#mask = capacity - 1;
  }

  /** For the producer; `value` >= 0. */
  push(value: number): void {
    const tail = this.#tail[0]!;
    assert(((tail - Atomics.load(this.#head, 0)) | 0) <= this.#mask, 'each slot is in the ring once');
    this.#entries[tail & this.#mask] = value;
    Atomics.store(this.#tail, 0, (tail + 1) | 0);
  }

  /** For the consumer: the next entry, or -1. */
  take(): number {
    const head = this.#head[0]!;
    if (head === Atomics.load(this.#tail, 0)) return -1;
    const value = this.#entries[head & this.#mask]!;
    Atomics.store(this.#head, 0, (head + 1) | 0);
    return value;
  }

  /** For the consumer. */
  get isEmpty(): boolean {
    return this.#head[0] === Atomics.load(this.#tail, 0);
  }
}

export function slotRingBytes(slotCount: number): number {
  return 2 * LINE_BYTES + 4 * capacityFor(slotCount);
}

/** A power of two, so that the counters may overflow. */
function capacityFor(slotCount: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, slotCount)));
}

/** Producer and consumer each write a cache line of their own. */
const LINE_BYTES = 128;
