import { assert } from '../base/assert.js';
import type { RequestSink } from '../ports/served-device.js';
import { Phase, SlotFields, slotFieldBytes } from './slot-fields.js';

/** Hands out slots to frontends, and tells them when their requests are over. */
export class RequestSlots extends SlotFields {
  readonly #sinks: Array<RequestSink | undefined>;
  readonly #free: Uint16Array;
  #freeCount: number;

  constructor(
    count: number,
    buffer: ArrayBufferLike = new ArrayBuffer(slotFieldBytes(count)),
    startBytes = 0,
  ) {
    super(count, buffer, startBytes);
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
    assert(this.phase[slot] === Phase.acquired, 'the slot is acquired and idle');
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
    assert(this.phase[slot] === Phase.acquired, 'the slot is acquired and idle');
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
    assert(sink !== undefined && this.phase[slot]! >= Phase.waiting, 'the slot has an operation');
    this.phase[slot] = Phase.acquired;
    sink.completed(slot, errno);
    if (this.phase[slot] === Phase.acquired) this.release(slot);
  }
}
