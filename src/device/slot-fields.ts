import { WriteZeroesFlag } from '../ports/served-device.js';

/**
 * The requests in hand, one slot each, as parallel arrays: nothing is allocated per request. In shared memory where
 * another thread looks at them: that one loads `phase` atomically and may then read what the request is about.
 */
export class SlotFields {
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

  /** `buffer` has `slotFieldBytes(count)` from `startBytes` on, a multiple of 8. */
  constructor(count: number, buffer: ArrayBufferLike, startBytes = 0) {
    this.count = count;
    let at = startBytes;
    const take = (bytesPerSlot: number): number => {
      at += bytesPerSlot * count;
      return at - bytesPerSlot * count;
    };
    this.offsetBytes = new Float64Array(buffer, take(8), count);
    this.lengthBytes = new Float64Array(buffer, take(8), count);
    this.memoryOffset = new Float64Array(buffer, take(8), count);
    this.pending = new Uint16Array(buffer, take(2), count);
    this.phase = new Uint8Array(buffer, take(1), count);
    this.operation = new Uint8Array(buffer, take(1), count);
    this.flags = new Uint8Array(buffer, take(1), count);
    this.failed = new Uint8Array(buffer, take(1), count);
  }
}

/** A write that is to be durable when it is answered. */
export function isDurable({ flags }: Pick<SlotFields, 'flags'>, slot: number): boolean {
  return (flags[slot]! & WriteZeroesFlag.durable) !== 0;
}

/** A multiple of 8. */
export function slotFieldBytes(count: number): number {
  return Math.ceil((BYTES_PER_SLOT * count) / 8) * 8;
}

const BYTES_PER_SLOT = 30;

export const Phase = {
  free: 0,
  acquired: 1,
  /** Begun, but nothing was sent to a store: blocked by a lock, or queued for the cold path. */
  waiting: 2,
  /** Backend I/O in flight, or about to be: units of the request can't be locked. */
  inFlight: 3,
  /** In the hands of a cold-path procedure, which holds the lock. */
  cold: 4,
  /** Of a queue's slot: the owner runs it as a request of its own. */
  forwarded: 5,
} as const;

export const Operation = { read: 1, write: 2, flush: 3, discard: 4, writeZeroes: 5 } as const;
