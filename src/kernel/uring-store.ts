import { assert, unreachable } from '../base/assert.js';
import {
  type IoMemory,
  isRequestBuffer,
  REQUEST_BUFFER_BASE,
  REQUEST_BUFFER_BYTES,
} from '../ports/io-memory.js';
import { DescriptorStore } from './descriptor-store.js';
import { fallocateMode } from './fallocate-mode.js';
import { AGAIN, Operation, SYSCALL_TRANSFER_BYTES_MAX } from './in-flight-table.js';
import type { CompletionHandler, Ring } from './io-uring.js';
import type { OpenDevice } from './open-device.js';
import { OP } from './uring-abi.js';

/**
 * A device or file through io_uring: what a call here queues goes to the kernel with the reactor's next turn, and
 * completions come from that turn's reaping, never from inside a call.
 *
 * Tickets are below `ticketCount`. Only for the thread that owns the ring.
 *
 * Our own buffers are not registered: on ext4 with O_DIRECT, READ_FIXED was no faster than READ (8.4k and 9.1k reads/s at depth
 * 1, 38k and 34k at depth 32, within the noise), and pinned memory counts against RLIMIT_MEMLOCK for plain users.
 */
export class UringStore extends DescriptorStore implements CompletionHandler {
  /** Buffers that are registered with this very ring. */
  readonly takesRequestBuffers = true;
  readonly #fd: number;
  readonly #memoryAddress: number;
  readonly #ring: RingQueue;
  readonly #kind: number;

  constructor(device: OpenDevice, memory: IoMemory, ring: RingQueue, ticketCount: number) {
    super(device, memory, ticketCount);
    assert(memory.address > 0, 'io_uring needs memory that the kernel can reach');
    this.#fd = device.fd;
    this.#memoryAddress = memory.address;
    this.#ring = ring;
    this.#kind = ring.registerHandler(this);
  }

  override close(): void {
    super.close();
    this.#ring.releaseHandler(this.#kind);
  }

  /** For the ring. */
  ringCompletion(ticket: number, result: number): void {
    const settled = this.table.settle(ticket, result);
    if (settled === AGAIN) this.start(ticket);
    else this.finish(ticket, settled);
  }

  protected start(ticket: number): void {
    const operation = this.table.operation[ticket] as Exclude<Operation, 0>;
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
        if (this.device.kind === 'blockDevice') this.#submitBlockDiscard(ticket);
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
    const table = this.table;
    const doneBytes = table.doneBytes[ticket]!;
    const lengthBytes = Math.min(table.lengthBytes[ticket]! - doneBytes, SYSCALL_TRANSFER_BYTES_MAX);
    const memoryOffset = table.memoryOffset[ticket]! + doneBytes;
    const offsetBytes = table.offsetBytes[ticket]! + doneBytes;
    if (isRequestBuffer(memoryOffset)) {
      const within = memoryOffset - REQUEST_BUFFER_BASE;
      const buffer = Math.floor(within / REQUEST_BUFFER_BYTES);
      const fixed = opcode === OP.READ ? OP.READ_FIXED : OP.WRITE_FIXED;
      this.#ring.submitFixed(
        this.#kind,
        ticket,
        fixed,
        this.#fd,
        within - buffer * REQUEST_BUFFER_BYTES,
        lengthBytes,
        offsetBytes,
        rwFlags,
        buffer,
      );
      return;
    }
    const address = this.#memoryAddress + memoryOffset;
    this.#ring.submit(this.#kind, ticket, opcode, this.#fd, address, lengthBytes, offsetBytes, rwFlags, 0, 0);
  }

  /** The SQE of FALLOCATE carries the length in `addr` and the mode in `len`. */
  #submitFallocate(ticket: number): void {
    const mode = fallocateMode(this.table.operation[ticket]!);
    const offsetBytes = this.table.offsetBytes[ticket]!;
    const lengthBytes = this.table.lengthBytes[ticket]!;
    this.#ring.submit(this.#kind, ticket, OP.FALLOCATE, this.#fd, lengthBytes, mode, offsetBytes, 0, 0, 0);
  }

  #submitBlockDiscard(ticket: number): void {
    const offsetBytes = this.table.offsetBytes[ticket]!;
    const lengthBytes = this.table.lengthBytes[ticket]!;
    this.#ring.submitCommand(this.#kind, ticket, this.#fd, BLOCK_URING_CMD_DISCARD, offsetBytes, lengthBytes);
  }
}

/** What the store uses of the ring: it neither enters nor reaps. */
export type RingQueue = Pick<
  Ring,
  'registerHandler' | 'releaseHandler' | 'submit' | 'submitFixed' | 'submitCommand'
>;

/** linux/fs.h: this write alone as if the file were open with O_DSYNC. */
const RWF_DSYNC = 2;
/** linux/io_uring.h: fdatasync instead of fsync. */
const FSYNC_DATASYNC = 1;
/** linux/blkdev.h (6.12): _IO(0x12, 0). */
const BLOCK_URING_CMD_DISCARD = 0x1200;
