import { assert, unreachable } from '../base/assert.js';
import type { BlockStore, CompletionSink, Geometry } from '../ports/block-store.js';
import type { IoMemory } from '../ports/io-memory.js';
import { fallocateMode } from './fallocate-mode.js';
import { close } from './ffi.js';
import { FileExtents } from './file-extents.js';
import { AGAIN, InFlightTable, Operation, SYSCALL_TRANSFER_BYTES_MAX } from './in-flight-table.js';
import type { CompletionHandler, Ring } from './io-uring.js';
import type { OpenDevice } from './open-device.js';
import { OP } from './uring-abi.js';

/**
 * A device or file through io_uring: what a call here queues goes to the kernel with the reactor's next turn, and
 * completions come from that turn's reaping, never from inside a call. Owns the device's descriptor.
 *
 * Tickets are below `ticketCount`. Only for the thread that owns the ring.
 */
export class UringStore implements BlockStore, CompletionHandler {
  readonly geometry: Geometry;
  readonly description: string;
  readonly #device: OpenDevice;
  readonly #extents: FileExtents;
  readonly #fd: number;
  readonly #memoryAddress: number;
  readonly #ring: RingQueue;
  readonly #kind: number;
  readonly #table: InFlightTable;
  #sink: CompletionSink | null = null;

  constructor(device: OpenDevice, memory: IoMemory, ring: RingQueue, ticketCount: number) {
    assert(memory.address > 0, 'io_uring needs memory that the kernel can reach');
    this.geometry = device.geometry;
    this.description = device.description;
    this.#device = device;
    this.#extents = new FileExtents(device);
    this.#fd = device.fd;
    this.#memoryAddress = memory.address;
    this.#ring = ring;
    this.#kind = ring.registerHandler(this);
    this.#table = new InFlightTable(device.geometry, memory, ticketCount);
  }

  attach(sink: CompletionSink): void {
    assert(this.#sink === null, 'attached twice');
    this.#sink = sink;
  }

  read(ticket: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): void {
    this.#table.beginTransfer(ticket, Operation.read, offsetBytes, lengthBytes, memoryOffset);
    this.#submit(ticket);
  }

  write(
    ticket: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): void {
    const operation = durable ? Operation.durableWrite : Operation.write;
    this.#table.beginTransfer(ticket, operation, offsetBytes, lengthBytes, memoryOffset);
    this.#submit(ticket);
  }

  flush(ticket: number): void {
    this.#table.beginWhole(ticket, Operation.flush);
    this.#submit(ticket);
  }

  discard(ticket: number, offsetBytes: number, lengthBytes: number): void {
    this.#table.beginRange(ticket, Operation.discard, offsetBytes, lengthBytes);
    this.#submit(ticket);
  }

  writeZeroes(ticket: number, offsetBytes: number, lengthBytes: number, mayUnmap: boolean): void {
    const operation = mayUnmap ? Operation.punch : Operation.zero;
    this.#table.beginRange(ticket, operation, offsetBytes, lengthBytes);
    this.#submit(ticket);
  }

  allocatedRun(offsetBytes: number, lengthBytes: number): number {
    return this.#extents.allocatedRun(offsetBytes, lengthBytes);
  }

  close(): void {
    assert(this.#table.activeCount === 0, 'closed with I/O in flight');
    this.#ring.releaseHandler(this.#kind);
    close(this.#fd);
  }

  /** For the ring. */
  ringCompletion(ticket: number, result: number): void {
    const settled = this.#table.settle(ticket, result);
    if (settled === AGAIN) {
      this.#submit(ticket);
      return;
    }
    this.#table.release(ticket);
    this.#sink!.complete(ticket, settled);
  }

  #submit(ticket: number): void {
    const operation = this.#table.operation[ticket] as Exclude<Operation, 0>;
    switch (operation) {
      case Operation.read:
        this.#submitTransfer(ticket, OP.READ, 0);
        break;
      case Operation.write:
        this.#submitTransfer(ticket, OP.WRITE, 0);
        break;
      case Operation.durableWrite:
        this.#submitTransfer(ticket, OP.WRITE, RWF_DSYNC);
        break;
      case Operation.flush:
        this.#ring.submit(this.#kind, ticket, OP.FSYNC, this.#fd, 0, 0, 0, FSYNC_DATASYNC, 0, 0);
        break;
      case Operation.discard:
        if (this.#device.kind === 'blockDevice') this.#submitBlockDiscard(ticket);
        else this.#submitFallocate(ticket);
        break;
      case Operation.punch:
      case Operation.zero:
        this.#submitFallocate(ticket);
        break;
      default:
        unreachable(operation);
    }
  }

  #submitTransfer(ticket: number, opcode: number, rwFlags: number): void {
    const table = this.#table;
    const doneBytes = table.doneBytes[ticket]!;
    const lengthBytes = Math.min(table.lengthBytes[ticket]! - doneBytes, SYSCALL_TRANSFER_BYTES_MAX);
    const address = this.#memoryAddress + table.memoryOffset[ticket]! + doneBytes;
    const offsetBytes = table.offsetBytes[ticket]! + doneBytes;
    this.#ring.submit(this.#kind, ticket, opcode, this.#fd, address, lengthBytes, offsetBytes, rwFlags, 0, 0);
  }

  /** The SQE of FALLOCATE carries the length in `addr` and the mode in `len`. */
  #submitFallocate(ticket: number): void {
    const mode = fallocateMode(this.#table.operation[ticket]!);
    const offsetBytes = this.#table.offsetBytes[ticket]!;
    const lengthBytes = this.#table.lengthBytes[ticket]!;
    this.#ring.submit(this.#kind, ticket, OP.FALLOCATE, this.#fd, lengthBytes, mode, offsetBytes, 0, 0, 0);
  }

  #submitBlockDiscard(ticket: number): void {
    const offsetBytes = this.#table.offsetBytes[ticket]!;
    const lengthBytes = this.#table.lengthBytes[ticket]!;
    this.#ring.submitCommand(this.#kind, ticket, this.#fd, BLOCK_URING_CMD_DISCARD, offsetBytes, lengthBytes);
  }
}

/** What the store uses of the ring: it neither enters nor reaps. */
export type RingQueue = Pick<Ring, 'registerHandler' | 'releaseHandler' | 'submit' | 'submitCommand'>;

/** linux/fs.h: this write alone as if the file were open with O_DSYNC. */
const RWF_DSYNC = 2;
/** linux/io_uring.h: fdatasync instead of fsync. */
const FSYNC_DATASYNC = 1;
/** linux/blkdev.h (6.12): _IO(0x12, 0). */
const BLOCK_URING_CMD_DISCARD = 0x1200;
