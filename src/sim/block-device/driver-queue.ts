import { ERRNO } from '../../base/errno.js';
import { SECTOR_BYTES } from '../../base/units.js';
import {
  DESCRIPTION_WORD,
  DESCRIPTION_WORDS,
  OPERATION_MASK,
  UblkFlag,
  UblkOperation,
} from '../../frontends/ublk/request-description.js';
import { type RequestSink, WriteZeroesFlag } from '../../ports/served-device.js';
import type { UblkChannel, UblkChannelSink } from '../../ports/ublk-channel.js';
import type { Actor } from '../actor.js';
import type { ClientDevice } from '../client.js';
import { ioMemory } from '../machine-memory.js';
import type { Random } from '../random.js';
import type { SimClock } from '../sim-clock.js';

/**
 * A hardware queue of the kernel's ublk driver. It outlives the processes that serve it, one after the other: a request that
 * none has answered is given out again to the next, also if its answer was on the way when the process was killed.
 */
export class DriverQueue implements ClientDevice, UblkChannel {
  readonly depth = QUEUE_DEPTH;
  readonly isZeroCopy = false;
  readonly descriptors = new Uint32Array(QUEUE_DEPTH * DESCRIPTION_WORDS);
  /** A block device tells of a failed flush by the answer to a flush, not by a number. */
  readonly flushFailureCount = 0;
  readonly #clock: SimClock;
  readonly #random: Random;
  /** By tag: the request that a client waits for. */
  readonly #requests: (DriverRequest | undefined)[] = new Array(QUEUE_DEPTH).fill(undefined);
  /** By tag: where the process wants its data; undefined while it has a request in hand, or has asked for none. */
  readonly #fetchedAt: (number | undefined)[] = new Array(QUEUE_DEPTH).fill(undefined);
  /** Tags of which the last answer went along with an I/O that the process has not heard of yet. */
  readonly #unheard = new Set<number>();
  /** By tag: answers that the driver has not seen yet. */
  readonly #answers = new Map<number, () => void>();
  #server: { readonly sink: UblkChannelSink; readonly actor: Actor } | undefined;
  #actor: Actor | undefined;

  constructor(clock: SimClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The next process is about to serve it, on this thread. */
  open(actor: Actor): UblkChannel {
    this.#actor = actor;
    return this;
  }

  attach(sink: UblkChannelSink): void {
    this.#server = { sink, actor: this.#actor! };
  }

  /** The process has ended in order: what it has answered counts. */
  release(): void {
    for (const deliver of [...this.#answers.values()]) deliver();
    this.kill();
  }

  /** The process is gone, with answers that were on their way. */
  kill(): void {
    this.#server = undefined;
    this.#answers.clear();
    this.#unheard.clear();
    this.#fetchedAt.fill(undefined);
  }

  /** The power is gone, and with it whoever waits. */
  forget(): void {
    this.kill();
    this.#requests.fill(undefined);
  }

  acquire(sink: RequestSink): number {
    const tag = this.#requests.indexOf(undefined);
    if (tag !== -1) this.#requests[tag] = { sink, memoryOffset: 0 };
    return tag;
  }

  read(tag: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): boolean {
    this.#requests[tag]!.memoryOffset = memoryOffset;
    return this.#submit(tag, UblkOperation.read, offsetBytes, lengthBytes);
  }

  write(
    tag: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): boolean {
    this.#requests[tag]!.memoryOffset = memoryOffset;
    return this.#submit(tag, UblkOperation.write | (durable ? UblkFlag.fua : 0), offsetBytes, lengthBytes);
  }

  flush(tag: number): void {
    this.#submit(tag, UblkOperation.flush, 0, 0);
  }

  discard(tag: number, offsetBytes: number, lengthBytes: number): void {
    this.#submit(tag, UblkOperation.discard, offsetBytes, lengthBytes);
  }

  /** A block device has nothing like `fastOnly`. */
  writeZeroes(tag: number, offsetBytes: number, lengthBytes: number, flags: number): void {
    const durable = (flags & WriteZeroesFlag.durable) === 0 ? 0 : UblkFlag.fua;
    const kept = (flags & WriteZeroesFlag.mayUnmap) === 0 ? UblkFlag.noUnmap : 0;
    this.#submit(tag, UblkOperation.writeZeroes | durable | kept, offsetBytes, lengthBytes);
  }

  fetch(tag: number, memoryOffset: number): void {
    this.#fetchedAt[tag] = memoryOffset;
    if (this.#requests[tag] !== undefined) this.#giveOut(tag);
  }

  commit(tag: number, result: number, memoryOffset: number): void {
    const deliver = (): void => {
      // Killed, or released, before.
      if (this.#answers.get(tag) !== deliver) return;
      this.#answers.delete(tag);
      this.#answer(tag, result, memoryOffset);
      this.fetch(tag, memoryOffset);
    };
    this.#answers.set(tag, deliver);
    this.#after(deliver);
  }

  get queuedTotal(): number {
    return this.#actor!.begun.count;
  }

  /** The client has its answer, and may send its next request, before the thread hears of the I/O. */
  commitAfter(queuedBefore: number, tag: number, result: number, memoryOffset: number): boolean {
    const server = this.#server!;
    const { begun } = server.actor;
    if (begun.count !== queuedBefore + 1) return false;
    return begun.link((outcome, hear) => {
      if (this.#server !== server) return hear();
      if (outcome !== result) {
        hear();
        return server.actor.run(() => {
          if (this.#server === server) server.sink.arrived(tag, -ERRNO.ECANCELED);
        });
      }
      const untilHeardUs = this.#random.below(this.#random.chance(1, 4) ? BUSY_US : DRIVER_US);
      this.#unheard.add(tag);
      // In one go, also where the thread is at something else just then: in the order of the ring.
      this.#clock.after(untilHeardUs / 1000, () =>
        server.actor.run(() => {
          hear();
          if (this.#server === server) this.#unheard.delete(tag);
        }),
      );
      this.#answer(tag, result, memoryOffset);
      this.fetch(tag, memoryOffset);
    });
  }

  copyIn(): void {}

  copyOut(): void {}

  #submit(tag: number, word: number, offsetBytes: number, lengthBytes: number): boolean {
    const first = tag * DESCRIPTION_WORDS;
    this.descriptors[first + DESCRIPTION_WORD.OPERATION] = word;
    this.descriptors[first + DESCRIPTION_WORD.SECTOR_COUNT] = lengthBytes / SECTOR_BYTES;
    this.descriptors[first + DESCRIPTION_WORD.START_SECTOR_LOW] = offsetBytes / SECTOR_BYTES;
    if (this.#fetchedAt[tag] !== undefined) this.#giveOut(tag);
    return false;
  }

  #giveOut(tag: number): void {
    const { sink, actor } = this.#server!;
    const to = this.#fetchedAt[tag]!;
    this.#fetchedAt[tag] = undefined;
    this.#after(() => this.#arrive(tag, to, sink, actor));
  }

  #arrive(tag: number, to: number, sink: UblkChannelSink, actor: Actor): void {
    if (this.#server?.sink !== sink) return;
    if (this.#unheard.has(tag)) return this.#after(() => this.#arrive(tag, to, sink, actor));
    if (this.#isTransfer(tag, UblkOperation.write)) this.#copy(this.#requests[tag]!.memoryOffset, to, tag);
    actor.run(() => sink.arrived(tag, 0));
  }

  #answer(tag: number, result: number, memoryOffset: number): void {
    const { sink, memoryOffset: to } = this.#requests[tag]!;
    if (result > 0 && this.#isTransfer(tag, UblkOperation.read)) this.#copy(memoryOffset, to, tag);
    this.#requests[tag] = undefined;
    sink.completed(tag, result < 0 ? -result : 0);
  }

  #isTransfer(tag: number, operation: number): boolean {
    const word = this.descriptors[tag * DESCRIPTION_WORDS + DESCRIPTION_WORD.OPERATION]!;
    return (word & OPERATION_MASK) === operation;
  }

  #copy(from: number, to: number, tag: number): void {
    const sectors = this.descriptors[tag * DESCRIPTION_WORDS + DESCRIPTION_WORD.SECTOR_COUNT]!;
    ioMemory.bytes.copyWithin(to, from, from + sectors * SECTOR_BYTES);
  }

  #after(task: () => void): void {
    this.#clock.after(this.#random.below(DRIVER_US) / 1000, task);
  }
}

interface DriverRequest {
  readonly sink: RequestSink;
  /** Of the client's own data. */
  memoryOffset: number;
}

/** As many as a client ever has in flight. */
export const QUEUE_DEPTH = 16;
/** The driver and a thread see what the other has done within this. */
const DRIVER_US = 8;
/** A thread that does something else just now hears of nothing for so long. */
const BUSY_US = 1000;
