import { fdatasync, read, write } from 'node:fs';
import { assert, unreachable } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import type { IoMemory } from '../ports/io-memory.js';
import { DescriptorStore } from './descriptor-store.js';
import { fallocateNow } from './fallocate-mode.js';
import { AGAIN, Operation, SYSCALL_TRANSFER_BYTES_MAX } from './in-flight-table.js';
import type { OpenDevice } from './open-device.js';

/**
 * A device or file through node:fs and its thread pool, for systems where io_uring is switched off. Completions
 * come from Node's event loop, which must therefore not be blocked.
 */
export class PortableStore extends DescriptorStore {
  readonly #memory: Uint8Array;
  /** One callback per ticket, made once. */
  readonly #callbacks: ((error: Error | null, doneBytes?: number) => void)[] = [];

  constructor(device: OpenDevice, memory: IoMemory, ticketCount: number) {
    super(device, memory, ticketCount);
    this.#memory = memory.bytes;
    for (let ticket = 0; ticket < ticketCount; ticket++) {
      this.#callbacks.push((error, doneBytes = 0) => this.#answered(ticket, error, doneBytes));
    }
  }

  protected start(ticket: number): void {
    const operation = this.table.operation[ticket] as Exclude<Operation, 0>;
    switch (operation) {
      case Operation.read:
      case Operation.write:
      case Operation.durableWrite:
        this.#startTransfer(ticket, operation);
        break;
      case Operation.flush:
        fdatasync(this.device.fd, this.#callbacks[ticket]!);
        break;
      case Operation.discard:
      case Operation.punch:
      case Operation.zero:
        this.#answerSoon(ticket, this.#fallocate(ticket, operation));
        break;
      default:
        unreachable(operation);
    }
  }

  #startTransfer(ticket: number, operation: number): void {
    const table = this.table;
    const doneBytes = table.doneBytes[ticket]!;
    const lengthBytes = Math.min(table.lengthBytes[ticket]! - doneBytes, SYSCALL_TRANSFER_BYTES_MAX);
    const memoryOffset = table.memoryOffset[ticket]! + doneBytes;
    const offsetBytes = table.offsetBytes[ticket]! + doneBytes;
    const callback = this.#callbacks[ticket]!;
    if (operation === Operation.read) {
      read(this.device.fd, this.#memory, memoryOffset, lengthBytes, offsetBytes, callback);
    } else {
      write(this.device.fd, this.#memory, memoryOffset, lengthBytes, offsetBytes, callback);
    }
  }

  /**
   * fallocate runs on this thread, because Node offers none: quick on files. A block device may take minutes over
   * a discard or over zeroes that it has to be sent, so there only unmapping zeroes are tried.
   */
  #fallocate(ticket: number, operation: number): number {
    const slow = this.device.kind === 'blockDevice' && operation !== Operation.punch;
    return slow ? -ERRNO.EOPNOTSUPP : fallocateNow(this.device.fd, this.table, ticket);
  }

  /** Never inside the call that started it. */
  #answerSoon(ticket: number, result: number): void {
    setImmediate(() => this.#settle(ticket, result));
  }

  #answered(ticket: number, error: Error | null, doneBytes: number): void {
    this.#settle(ticket, error === null ? doneBytes : negativeErrno(error));
  }

  #settle(ticket: number, result: number): void {
    const settled = this.table.settle(ticket, result);
    if (settled === AGAIN) this.start(ticket);
    else if (settled > 0 && this.table.operation[ticket] === Operation.durableWrite) {
      this.#makeDurable(ticket, settled);
    } else this.finish(ticket, settled);
  }

  #makeDurable(ticket: number, result: number): void {
    fdatasync(this.device.fd, (error) => {
      this.finish(ticket, error === null ? result : negativeErrno(error));
    });
  }
}

/** node:fs errors carry libuv's number, which on Linux is the negative errno. */
function negativeErrno(error: Error): number {
  assert('errno' in error && typeof error.errno === 'number', `not a system error: ${error.message}`);
  return error.errno;
}
