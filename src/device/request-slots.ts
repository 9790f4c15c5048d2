import { assert } from '../base/assert.js';
import type { RequestSink } from '../ports/served-device.js';

/** The requests in flight, one slot each, as parallel arrays: nothing is allocated per request. */
export class RequestSlots {
  readonly count: number;
  readonly phase: Uint8Array;
  readonly operation: Uint8Array;
  readonly flags: Uint8Array;
  readonly offsetBytes: Float64Array;
  readonly lengthBytes: Float64Array;
  readonly memoryOffset: Float64Array;
  /** Backend I/Os that have not completed yet. */
  readonly pending: Uint16Array;
  /** A backend I/O failed; which errno matters only to the cold path, which tries again. */
  readonly failed: Uint8Array;
  readonly #sinks: Array<RequestSink | undefined>;
  readonly #free: Uint16Array;
  #freeCount: number;

  constructor(count: number) {
    this.count = count;
    this.phase = new Uint8Array(count);
    this.operation = new Uint8Array(count);
    this.flags = new Uint8Array(count);
    this.offsetBytes = new Float64Array(count);
    this.lengthBytes = new Float64Array(count);
    this.memoryOffset = new Float64Array(count);
    this.pending = new Uint16Array(count);
    this.failed = new Uint8Array(count);
    this.#sinks = new Array(count).fill(undefined);
    this.#free = Uint16Array.from({ length: count }, (_, index) => count - 1 - index);
    this.#freeCount = count;
  }

  get usedCount(): number {
    return this.count - this.#freeCount;
  }

  acquire(sink: RequestSink): number {
    if (this.#freeCount === 0) return -1;
    this.#freeCount -= 1;
    const slot = this.#free[this.#freeCount]!;
    this.phase[slot] = Phase.acquired;
    this.#sinks[slot] = sink;
    return slot;
  }

  release(slot: number): void {
    assert(this.phase[slot] === Phase.acquired, `slot ${slot} is acquired and idle`);
    this.phase[slot] = Phase.free;
    this.#sinks[slot] = undefined;
    this.#free[this.#freeCount] = slot;
    this.#freeCount += 1;
  }

  begin(
    slot: number,
    operation: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    flags: number,
  ): void {
    assert(this.phase[slot] === Phase.acquired, `slot ${slot} is acquired and idle`);
    this.operation[slot] = operation;
    this.flags[slot] = flags;
    this.offsetBytes[slot] = offsetBytes;
    this.lengthBytes[slot] = lengthBytes;
    this.memoryOffset[slot] = memoryOffset;
    this.pending[slot] = 0;
    this.failed[slot] = 0;
    this.phase[slot] = Phase.waiting;
  }

  /** Tells the frontend; the slot is free afterwards unless the frontend has started the next operation on it. */
  finish(slot: number, errno: number): void {
    const sink = this.#sinks[slot];
    assert(sink !== undefined && this.phase[slot]! >= Phase.waiting, `slot ${slot} has an operation`);
    this.phase[slot] = Phase.acquired;
    sink.completed(slot, errno);
    if (this.phase[slot] === Phase.acquired) this.release(slot);
  }
}

export const Phase = {
  free: 0,
  acquired: 1,
  /** Begun, but nothing was sent to a store: blocked by a lock, or queued for the cold path. */
  waiting: 2,
  /** Backend I/O in flight. */
  inFlight: 3,
  /** In the hands of a cold-path procedure, which holds the lock. */
  cold: 4,
} as const;

export const Operation = { read: 1, write: 2, flush: 3, discard: 4, writeZeroes: 5 } as const;
