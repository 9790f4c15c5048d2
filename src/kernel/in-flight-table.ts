import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import { isPowerOfTwo } from '../base/units.js';
import type { Geometry } from '../ports/block-store.js';
import { type IoMemory, isRequestBuffer } from '../ports/io-memory.js';

/**
 * What each ticket of a store is doing, in arrays indexed by ticket, and the one place that decides what a system
 * call's result means: done, failed, or to be issued again (short transfer, EINTR, EAGAIN). No allocation per I/O.
 */
export class InFlightTable {
  readonly operation: Uint8Array;
  readonly offsetBytes: Float64Array;
  readonly lengthBytes: Float64Array;
  readonly memoryOffset: Float64Array;
  /** Bytes transferred so far: the next attempt starts behind them. */
  readonly doneBytes: Float64Array;
  /** Tickets with an operation; a store may be closed at 0 only. */
  activeCount = 0;
  readonly #retries: Uint8Array;
  readonly #sizeBytes: number;
  readonly #blockMask: number;
  readonly #alignmentMask: number;
  readonly #memoryBytes: number;

  constructor(geometry: Geometry, memory: IoMemory, ticketCount: number) {
    assert(isPowerOfTwo(geometry.logicalBlockBytes), 'the logical block is a power of two');
    assert(isPowerOfTwo(geometry.memoryAlignmentBytes), 'the memory alignment is a power of two');
    this.operation = new Uint8Array(ticketCount);
    this.offsetBytes = new Float64Array(ticketCount);
    this.lengthBytes = new Float64Array(ticketCount);
    this.memoryOffset = new Float64Array(ticketCount);
    this.doneBytes = new Float64Array(ticketCount);
    this.#retries = new Uint8Array(ticketCount);
    this.#sizeBytes = geometry.sizeBytes;
    this.#blockMask = geometry.logicalBlockBytes - 1;
    this.#alignmentMask = geometry.memoryAlignmentBytes - 1;
    this.#memoryBytes = memory.bytes.byteLength;
  }

  /** Starts a read or write. Whatever breaks the contract of `BlockStore` is the caller's bug. */
  beginTransfer(
    ticket: number,
    operation: number,
    offset: number,
    length: number,
    memoryOffset: number,
  ): void {
    assert((memoryOffset & this.#alignmentMask) === 0, 'memory offset not aligned');
    assert(
      memoryOffset >= 0 && (memoryOffset + length <= this.#memoryBytes || isRequestBuffer(memoryOffset)),
      'transfer outside the I/O memory',
    );
    this.beginRange(ticket, operation, offset, length);
    this.memoryOffset[ticket] = memoryOffset;
  }

  /** Starts an operation on a range of the device that moves no data. */
  beginRange(ticket: number, operation: number, offset: number, length: number): void {
    assert(((offset | length) & this.#blockMask) === 0, 'not a multiple of the logical block');
    assert(offset >= 0 && length > 0 && offset + length <= this.#sizeBytes, 'range outside the device');
    this.beginWhole(ticket, operation);
    this.offsetBytes[ticket] = offset;
    this.lengthBytes[ticket] = length;
  }

  /** Starts an operation on the whole device (flush). */
  beginWhole(ticket: number, operation: number): void {
    assert(ticket >= 0 && ticket < this.operation.length, 'ticket out of range');
    assert(this.operation[ticket] === Operation.idle, 'ticket already in use');
    this.operation[ticket] = operation;
    this.offsetBytes[ticket] = 0;
    this.lengthBytes[ticket] = 0;
    this.doneBytes[ticket] = 0;
    this.#retries[ticket] = 0;
    this.activeCount += 1;
  }

  /**
   * Takes a system call's result (>= 0, or a negative errno). Returns `AGAIN` when the operation has to be issued
   * again from `doneBytes`; anything else is for the sink, after `release`.
   */
  settle(ticket: number, result: number): number {
    const operation = this.operation[ticket]!;
    assert(operation !== Operation.idle, 'completion for an idle ticket');
    if (result < 0) return this.#settleFailure(ticket, operation, result);
    if (operation > Operation.durableWrite) return 0;
    return this.#settleTransfer(ticket, operation, result);
  }

  /** Frees a ticket just before its completion is reported: the sink may use it again at once. */
  release(ticket: number): void {
    assert(this.operation[ticket] !== Operation.idle, 'released an idle ticket');
    this.operation[ticket] = Operation.idle;
    this.activeCount -= 1;
  }

  #settleTransfer(ticket: number, operation: number, result: number): number {
    const doneBytes = this.doneBytes[ticket]! + result;
    const lengthBytes = this.lengthBytes[ticket]!;
    if (doneBytes === lengthBytes) return lengthBytes;
    assert(doneBytes < lengthBytes, 'more bytes transferred than asked for');
    // Direct I/O must go on at a block boundary. A transfer that ended inside a block is repeated from its start;
    // without a whole block of progress the end of a shrunken file or a vanished disk is reached (abi.md section 3).
    const wholeBlockBytes = doneBytes - (doneBytes & this.#blockMask);
    if (wholeBlockBytes === this.doneBytes[ticket]) {
      return operation === Operation.read ? -ERRNO.ENODEV : -ERRNO.EIO;
    }
    this.doneBytes[ticket] = wholeBlockBytes;
    return AGAIN;
  }

  #settleFailure(ticket: number, operation: number, result: number): number {
    const mayPass = result === -ERRNO.EINTR || result === -ERRNO.EAGAIN;
    if (mayPass && this.#retries[ticket]! < RETRY_COUNT_MAX) {
      this.#retries[ticket]! += 1;
      return AGAIN;
    }
    // Kernels before 6.12 have no discard command: EINVAL or EOPNOTSUPP, and it is only a hint.
    const isHint = operation === Operation.discard && result === -ERRNO.EINVAL;
    return isHint ? -ERRNO.EOPNOTSUPP : result;
  }
}

/** Values of `InFlightTable.operation`; those up to `durableWrite` move data. */
export const Operation = {
  idle: 0,
  read: 1,
  write: 2,
  durableWrite: 3,
  flush: 4,
  discard: 5,
  /** Zeroes that may give up the space. */
  punch: 6,
  /** Zeroes that keep the space. */
  zero: 7,
} as const;
export type Operation = (typeof Operation)[keyof typeof Operation];

/** `settle`: issue the operation again. Outside the range of results and of negative errnos. */
export const AGAIN = -0x8000_0000;

/** Longest single read or write system call; the kernel itself stops short of 2 GiB (MAX_RW_COUNT). */
export const SYSCALL_TRANSFER_BYTES_MAX = 1 << 30;

/** EINTR and EAGAIN in a row on one ticket before they are passed up, where retries are paced. */
const RETRY_COUNT_MAX = 8;
