import { assert } from '../base/assert.js';
import type { CompletionSink, Geometry } from '../ports/block-store.js';
import { DiskAnswers } from './disk-answers.js';
import { DiskContents } from './disk-contents.js';
import { DiskFaults } from './disk-faults.js';
import { DiskFront } from './disk-front.js';
import { geometryOf, type SimDiskOptions } from './sim-disk-options.js';
import { type IoKind, SimIo } from './sim-io.js';

/**
 * A disk whose contents outlive the process above it. I/O takes effect between submission and completion, in any order;
 * what no flush has covered may be lost with the power; what is in flight may be done, undone, or done in part.
 */
export class SimDisk {
  readonly geometry: Geometry;
  /** Which of the machine's it is, whatever becomes of it. */
  readonly id: number;
  /** What it is just now: 0 the main device, 1 + n spare n of the set; those behind are none of the set. */
  target: number;
  /** It is to be the main device, or was it: nothing that counts lives on it. */
  isBystander = false;
  readonly faults: DiskFaults;
  /** Nothing answers, but for reads where `isReadable`. */
  isGone = false;
  isReadable = false;
  readonly #options: SimDiskOptions;
  readonly #held: DiskContents;
  readonly #answers: DiskAnswers;
  readonly #blockBytes: number;
  readonly #inFlight: SimIo[] = [];
  readonly #idle: SimIo[] = [];
  #serial = 0;
  #flushCount = 0;

  constructor(options: SimDiskOptions) {
    const { sizeBytes, blockBytes } = options;
    this.#options = options;
    this.id = options.id;
    this.target = options.target;
    this.#blockBytes = blockBytes;
    this.faults = new DiskFaults(sizeBytes / blockBytes);
    this.#held = new DiskContents(options, this.faults);
    this.#answers = new DiskAnswers(this, options, this.#held);
    this.geometry = geometryOf(options);
  }

  get contents(): Uint8Array {
    return this.#held.bytes;
  }

  get view(): DataView {
    return this.#held.view;
  }

  /** By offset: pages that are read as something else than they are, until they are written. */
  get lies(): Map<number, Uint8Array> {
    return this.#held.lies;
  }

  /** For one thread of one process. */
  open(sink: CompletionSink): DiskFront {
    return new DiskFront(this, sink);
  }

  get description(): string {
    if (this.isBystander) return 'other disk';
    return this.target === 0 ? 'main' : `spare ${this.target - 1}`;
  }

  submit(
    front: DiskFront,
    kind: IoKind,
    ticket: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): void {
    const { clock, random, hasNativeFua, hasVolatileCache } = this.#options;
    assert(
      !durable || hasNativeFua || !hasVolatileCache,
      'a durable write is written and flushed without FUA',
    );
    assert(offsetBytes % this.#blockBytes === 0 && lengthBytes % this.#blockBytes === 0, 'whole blocks');
    assert(offsetBytes >= 0 && offsetBytes + lengthBytes <= this.geometry.sizeBytes, 'inside the disk');
    const io = this.#idle.pop() ?? new SimIo(this);
    io.front = front;
    io.kind = kind;
    io.ticket = ticket;
    io.offsetBytes = offsetBytes;
    io.lengthBytes = lengthBytes;
    io.memoryOffset = memoryOffset;
    io.durable = durable;
    io.isApplied = false;
    io.serial = this.#nextSerial();
    io.place = this.#inFlight.length;
    this.#inFlight.push(io);
    if (kind === 'flush') {
      this.#flushCount += 1;
      this.#held.cache?.flushStarted(io.serial);
    }
    const isEarly = kind === 'write' && !durable && this.faults.isFlawless && random.chance(1, 4);
    if (isEarly && !this.#isDeadFor(io)) this.#held.apply(io, 0, lengthBytes / this.#blockBytes);
    clock.schedule(io, this.#latencyUs(io));
  }

  /** The I/O is over. */
  finish(io: SimIo): void {
    const last = this.#inFlight.pop()!;
    if (last !== io) {
      this.#inFlight[io.place] = last;
      last.place = io.place;
    }
    if (io.kind === 'flush') this.#flushCount -= 1;
    const areFlushesLeft = this.#flushCount > 0;
    const now = this.#nextSerial();
    const result = this.#isDeadFor(io)
      ? this.#answers.abort(io, now, areFlushesLeft)
      : this.#answers.answer(io, now, areFlushesLeft);
    const { front, ticket, kind } = io;
    const { watcher } = this.#options;
    this.#idle.push(io);
    watcher.answered(io, result);
    front!.complete(ticket, result);
    if (kind === 'flush' && result < 0 && !this.isBystander)
      front!.afterwards(() => watcher.flushFailureHeard());
  }

  /** A flush is on its way. */
  get isFlushing(): boolean {
    return this.#flushCount > 0;
  }

  /** Writes to the metadata that are on their way. */
  get metadataWrites(): readonly SimIo[] {
    const { tearsInside } = this.#options;
    return this.#inFlight.filter(
      ({ kind, offsetBytes }) => kind === 'write' && tearsInside(this.target, offsetBytes),
    );
  }

  /** Before the process dies: this write happens, durably, or does not, unless it has happened already. */
  decide(io: SimIo, happens: boolean): void {
    const { bytes } = this.#options.memory;
    if (happens)
      this.overwrite(io.offsetBytes, bytes.slice(io.memoryOffset, io.memoryOffset + io.lengthBytes));
    io.isApplied = true;
  }

  /** The process died: of what it had sent some is still done, some is not, in any order. */
  abandonInFlight(): void {
    const { random } = this.#options;
    while (this.#inFlight.length > 0) {
      const index = random.below(this.#inFlight.length);
      const io = this.#inFlight[index]!;
      this.#inFlight[index] = this.#inFlight.at(-1)!;
      this.#inFlight.pop();
      this.#idle.push(io);
      if (!io.changesContents) continue;
      if (!io.isApplied && !this.#isDeadFor(io)) this.#held.applyPerhaps(io);
      this.#held.endInCache(io, this.#nextSerial(), false);
    }
    this.#flushCount = 0;
    this.#held.cache?.flushFailed(false);
    // With the last one to close a device the kernel drops its pages.
    this.#held.cache?.forgetPhantoms(() => this.#options.watcher.revertingLate(this));
  }

  /** As after `abandonInFlight`; then everything in the cache is written back, or lost, block by block. */
  powerCut(): void {
    const { random, tearsInside } = this.#options;
    for (const io of [...this.#inFlight]) {
      if (io.kind !== 'write' || io.isApplied || !tearsInside(this.target, io.offsetBytes)) continue;
      if (random.chance(1, 2)) this.#held.tearInside(io);
    }
    this.abandonInFlight();
    this.loseCache(random.pick(KEEP_TIMES), () => {});
  }

  /** `reverted` hears of blocks that go back to what they were, before they do. */
  loseCache(keepTimes: number, reverted: (block: number) => void): void {
    this.#held.cache?.drop(keepTimes, reverted);
    this.#held.cache?.forgetPhantoms(reverted);
  }

  /** The bytes of a block on stable storage, if they are others than `contents`. */
  stableViewOf(block: number): DataView | undefined {
    return this.#held.stableViewOf(block);
  }

  /** Changes bytes behind everybody's back, durably; what was read there instead of them is forgotten. */
  overwrite(offsetBytes: number, bytes: Uint8Array): void {
    this.#held.overwrite(offsetBytes, bytes);
  }

  #isDeadFor(io: SimIo): boolean {
    const isSilent = this.isGone && !(this.isReadable && io.kind === 'read');
    return isSilent || io.front!.isCutOff;
  }

  #nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  #latencyUs(io: SimIo): number {
    const { random, latencyUs, stragglerOdds } = this.#options;
    const base = (5 + random.below(latencyUs)) * (random.chance(1, stragglerOdds) ? STRAGGLER : 1);
    if (this.faults.isFlawless || io.kind === 'flush') return base;
    return this.faults.isSlow(io.offsetBytes / this.#blockBytes, io.lengthBytes / this.#blockBytes)
      ? base * 400
      : base;
  }
}

/** Times as long. */
const STRAGGLER = 20;
/** How much of the cache a power cut spares, of 8. */
const KEEP_TIMES = [0, 0, 1, 4, 7, 8];
