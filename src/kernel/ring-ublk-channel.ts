import { assert } from '../base/assert.js';
import { failed, ok, type Result } from '../base/result.js';
import { alignUp } from '../base/units.js';
import type { UblkChannel, UblkChannelSink } from '../ports/ublk-channel.js';
import { getpagesize, mmap, munmap, viewMemory } from './ffi.js';
import type { CompletionHandler, Ring } from './io-uring.js';
import {
  AUTO_BUFFER_FALLBACK,
  IO_DESC_BYTES,
  MAX_QUEUE_DEPTH,
  QUEUE_COMMAND,
  USER_COPY_BASE,
  USER_COPY_QUEUE_BYTES,
  USER_COPY_TAG_BYTES,
} from './ublk-abi.js';
import { OP } from './uring-abi.js';

/**
 * The driver's side of one queue, through the ring of the thread that serves it. Every command of a queue must come
 * from that one thread (the driver binds tags to the task that fetched them).
 */
export class RingUblkChannel implements UblkChannel, CompletionHandler {
  readonly depth: number;
  readonly descriptors: Uint32Array;
  readonly #options: RingUblkChannelOptions;
  readonly #mapped: { readonly address: number; readonly lengthBytes: number };
  readonly isZeroCopy: boolean;
  readonly #kind: number;
  readonly #copyKind: number;
  #sink: UblkChannelSink | undefined;

  /** The error is a positive errno. */
  static open(options: RingUblkChannelOptions): Result<RingUblkChannel, number> {
    const pageBytes = getpagesize();
    const lengthBytes = alignUp(options.depth * IO_DESC_BYTES, pageBytes);
    const offset = options.queueIndex * alignUp(MAX_QUEUE_DEPTH * IO_DESC_BYTES, pageBytes);
    const address = mmap(lengthBytes, PROT_READ, MAP_SHARED_POPULATE, options.charFd, offset);
    if (address < 0) return failed(-address);
    const registered = options.isZeroCopy ? options.ring.registerBufferTable(options.depth) : 0;
    if (registered < 0) {
      munmap(address, lengthBytes);
      return failed(-registered);
    }
    return ok(new RingUblkChannel(options, { address, lengthBytes }));
  }

  private constructor(
    options: RingUblkChannelOptions,
    mapped: { readonly address: number; readonly lengthBytes: number },
  ) {
    this.#options = options;
    this.#mapped = mapped;
    this.depth = options.depth;
    this.isZeroCopy = options.isZeroCopy;
    this.descriptors = new Uint32Array(viewMemory(mapped.address, mapped.lengthBytes));
    // Without memory the driver wants 0 for an address.
    this.#kind = options.ring.registerHandler(this, options.isZeroCopy ? 0 : options.memoryAddress);
    this.#copyKind = options.ring.registerHandler(
      { ringCompletion: (tag, result) => this.#sink!.copied(tag, result) },
      options.memoryAddress,
    );
  }

  attach(sink: UblkChannelSink): void {
    assert(this.#sink === undefined, 'attached twice');
    this.#sink = sink;
  }

  fetch(tag: number, memoryOffset: number): void {
    this.#submit(FETCH_REQ, tag, 0, memoryOffset);
  }

  commit(tag: number, result: number, memoryOffset: number): void {
    this.#submit(COMMIT_AND_FETCH_REQ, tag, result, memoryOffset);
  }

  get queuedTotal(): number {
    return this.#options.ring.queuedTotal;
  }

  commitAfter(queuedBefore: number, tag: number, result: number, memoryOffset: number): boolean {
    if (!this.#options.ring.linkLast(queuedBefore)) return false;
    this.commit(tag, result, memoryOffset);
    return true;
  }

  copyIn(tag: number, lengthBytes: number, memoryOffset: number): void {
    this.#copy(OP.READ, tag, lengthBytes, memoryOffset);
  }

  copyOut(tag: number, lengthBytes: number, memoryOffset: number): void {
    this.#copy(OP.WRITE, tag, lengthBytes, memoryOffset);
  }

  /** For the ring. */
  ringCompletion(tag: number, result: number): void {
    this.#sink!.arrived(tag, result);
  }

  /** When every tag has ended. The descriptors must not be looked at any more. */
  close(): void {
    this.#options.ring.releaseHandler(this.#kind);
    this.#options.ring.releaseHandler(this.#copyKind);
    munmap(this.#mapped.address, this.#mapped.lengthBytes);
  }

  #submit(command: number, tag: number, result: number, memoryOffset: number): void {
    const { ring, charFd, queueIndex } = this.#options;
    const queueAndTag = queueIndex | (tag << 16);
    ring.submitUblkCommand(
      this.#kind,
      tag,
      charFd,
      command,
      queueAndTag,
      result,
      this.isZeroCopy ? 0 : memoryOffset,
      this.isZeroCopy ? tag | AUTO_BUFFER_FALLBACK : 0,
    );
  }

  /** The data of a request is a range of the file /dev/ublkcN while the request is in hand (USER_COPY). */
  #copy(opcode: number, tag: number, lengthBytes: number, memoryOffset: number): void {
    const { ring, charFd, queueIndex } = this.#options;
    const offset = USER_COPY_BASE + queueIndex * USER_COPY_QUEUE_BYTES + tag * USER_COPY_TAG_BYTES;
    ring.submitTransfer(this.#copyKind, tag, opcode, charFd, memoryOffset, lengthBytes, offset, 0);
  }
}

export interface RingUblkChannelOptions {
  readonly ring: Pick<
    Ring,
    | 'registerHandler'
    | 'releaseHandler'
    | 'registerBufferTable'
    | 'submitTransfer'
    | 'submitUblkCommand'
    | 'queuedTotal'
    | 'linkLast'
  >;
  /** /dev/ublkcN; open once in the whole process. */
  readonly charFd: number;
  readonly queueIndex: number;
  readonly depth: number;
  /** The device has USER_COPY and AUTO_BUF_REG. */
  readonly isZeroCopy: boolean;
  /** Of `IoMemory`. */
  readonly memoryAddress: number;
}

/** As signed 32-bit numbers: larger ones would be on the heap, anew for each command. */
const FETCH_REQ = QUEUE_COMMAND.FETCH_REQ | 0;
const COMMIT_AND_FETCH_REQ = QUEUE_COMMAND.COMMIT_AND_FETCH_REQ | 0;
const PROT_READ = 1;
const MAP_SHARED_POPULATE = 0x8001;
