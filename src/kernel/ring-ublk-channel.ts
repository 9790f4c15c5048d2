import { assert } from '../base/assert.js';
import { failed, ok, type Result } from '../base/result.js';
import { alignUp } from '../base/units.js';
import type { UblkChannel, UblkChannelSink } from '../ports/ublk-channel.js';
import { getpagesize, mmap, munmap, viewMemory } from './ffi.js';
import type { CompletionHandler, Ring } from './io-uring.js';
import { IO_DESC_BYTES, MAX_QUEUE_DEPTH, QUEUE_COMMAND } from './ublk-abi.js';

/**
 * The driver's side of one queue, through the ring of the thread that serves it. Every command of a queue must come
 * from that one thread (the driver binds tags to the task that fetched them).
 */
export class RingUblkChannel implements UblkChannel, CompletionHandler {
  readonly depth: number;
  readonly descriptors: Uint32Array;
  readonly #options: RingUblkChannelOptions;
  readonly #mapped: { readonly address: number; readonly lengthBytes: number };
  readonly #kind: number;
  #sink: UblkChannelSink | undefined;

  /** The error is a positive errno. */
  static open(options: RingUblkChannelOptions): Result<RingUblkChannel, number> {
    const pageBytes = getpagesize();
    const lengthBytes = alignUp(options.depth * IO_DESC_BYTES, pageBytes);
    const offset = options.queueIndex * alignUp(MAX_QUEUE_DEPTH * IO_DESC_BYTES, pageBytes);
    const address = mmap(lengthBytes, PROT_READ, MAP_SHARED_POPULATE, options.charFd, offset);
    if (address < 0) return failed(-address);
    return ok(new RingUblkChannel(options, { address, lengthBytes }));
  }

  private constructor(
    options: RingUblkChannelOptions,
    mapped: { readonly address: number; readonly lengthBytes: number },
  ) {
    this.#options = options;
    this.#mapped = mapped;
    this.depth = options.depth;
    this.descriptors = new Uint32Array(viewMemory(mapped.address, mapped.lengthBytes));
    this.#kind = options.ring.registerHandler(this);
  }

  attach(sink: UblkChannelSink): void {
    assert(this.#sink === undefined, 'attached twice');
    this.#sink = sink;
  }

  fetch(tag: number, memoryOffset: number): void {
    this.#submit(QUEUE_COMMAND.FETCH_REQ, tag, 0, memoryOffset);
  }

  commit(tag: number, result: number, memoryOffset: number): void {
    this.#submit(QUEUE_COMMAND.COMMIT_AND_FETCH_REQ, tag, result, memoryOffset);
  }

  /** For the ring. */
  ringCompletion(tag: number, result: number): void {
    this.#sink!.arrived(tag, result);
  }

  /** When every tag has ended. The descriptors must not be looked at any more. */
  close(): void {
    this.#options.ring.releaseHandler(this.#kind);
    munmap(this.#mapped.address, this.#mapped.lengthBytes);
  }

  #submit(command: number, tag: number, result: number, memoryOffset: number): void {
    const { ring, charFd, queueIndex, memoryAddress } = this.#options;
    const queueAndTag = queueIndex | (tag << 16);
    ring.submitUblkCommand(
      this.#kind,
      tag,
      charFd,
      command,
      queueAndTag,
      result,
      memoryAddress + memoryOffset,
    );
  }
}

export interface RingUblkChannelOptions {
  readonly ring: Pick<Ring, 'registerHandler' | 'releaseHandler' | 'submitUblkCommand'>;
  /** /dev/ublkcN; open once in the whole process. */
  readonly charFd: number;
  readonly queueIndex: number;
  readonly depth: number;
  /** Of `IoMemory`. */
  readonly memoryAddress: number;
}

const PROT_READ = 1;
const MAP_SHARED_POPULATE = 0x8001;
