import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import type { CompletionSink, DeviceIdentity, Geometry } from '../ports/block-store.js';
import { PLAIN_QUEUE } from '../ports/block-store.js';
import type { IoMemory } from '../ports/io-memory.js';
import { DiskCache } from './disk-cache.js';
import { BlockFlag, DiskFaults } from './disk-faults.js';
import { DiskFront } from './disk-front.js';
import type { Random } from './random.js';
import type { SimClock } from './sim-clock.js';
import { type IoKind, SimIo } from './sim-io.js';

/**
 * A disk whose contents outlive the process above it. I/O takes effect between submission and completion, in any order;
 * what no flush has covered may be lost with the power; what is in flight may be done, undone, or done in part.
 */
export class SimDisk {
  readonly geometry: Geometry;
  readonly target: number;
  readonly contents: Uint8Array;
  readonly view: DataView;
  readonly faults: DiskFaults;
  /** By offset: pages that are read as something else than they are, until they are written. */
  readonly lies = new Map<number, Uint8Array>();
  /** Nothing answers. */
  isGone = false;
  readonly #options: SimDiskOptions;
  readonly #cache: DiskCache | undefined;
  readonly #blockBytes: number;
  readonly #inFlight: SimIo[] = [];
  readonly #idle: SimIo[] = [];
  #serial = 0;
  #flushCount = 0;

  constructor(options: SimDiskOptions) {
    const { sizeBytes, blockBytes, contents } = options;
    this.#options = options;
    this.target = options.target;
    this.#blockBytes = blockBytes;
    this.contents = contents;
    this.view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
    this.faults = new DiskFaults(sizeBytes / blockBytes);
    if (options.hasVolatileCache)
      this.#cache = new DiskCache(contents, options.stable, blockBytes, options.random);
    this.geometry = geometryOf(options);
  }

  /** For one thread of one process. */
  open(sink: CompletionSink): DiskFront {
    return new DiskFront(this, sink);
  }

  get description(): string {
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
    const { clock, random } = this.#options;
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
    this.#serial += 1;
    io.serial = this.#serial;
    io.place = this.#inFlight.length;
    this.#inFlight.push(io);
    if (kind === 'flush') {
      this.#flushCount += 1;
      this.#cache?.flushStarted(io.serial);
    }
    const isEarly = kind === 'write' && !durable && this.faults.isFlawless && random.chance(1, 4);
    if (isEarly && !this.#isDeadFor(io)) this.#apply(io, 0, lengthBytes / this.#blockBytes);
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
    const result = this.#isDeadFor(io) ? this.#abort(io) : this.#outcome(io);
    const { front, ticket } = io;
    this.#idle.push(io);
    this.#options.watcher.answered(io, result);
    front!.complete(ticket, result);
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
      if (!io.isApplied && !this.#isDeadFor(io)) this.#applyPerhaps(io);
      this.#endInCache(io, false);
    }
    this.#flushCount = 0;
    this.#cache?.flushFailed(false);
  }

  /** As after `abandonInFlight`; then everything in the cache is written back, or lost, block by block. */
  powerCut(): void {
    const { random, tearsInside } = this.#options;
    for (const io of [...this.#inFlight]) {
      if (io.kind !== 'write' || io.isApplied || !tearsInside(this.target, io.offsetBytes)) continue;
      if (random.chance(1, 2)) this.#tearInside(io);
    }
    this.abandonInFlight();
    this.loseCache(random.pick(KEEP_TIMES), () => {});
  }

  /** `reverted` hears of blocks that go back to what they were, before they do. */
  loseCache(keepTimes: number, reverted: (block: number) => void): void {
    this.#cache?.drop(keepTimes, reverted);
  }

  /** The bytes of a block on stable storage, if they are others than `contents`. */
  stableViewOf(block: number): DataView | undefined {
    if (this.#cache?.isDirty(block) !== true) return undefined;
    const { stable } = this.#options;
    return new DataView(stable.buffer, stable.byteOffset + block * this.#blockBytes, this.#blockBytes);
  }

  /** Changes bytes behind everybody's back, durably; what was read there instead of them is forgotten. */
  overwrite(offsetBytes: number, bytes: Uint8Array): void {
    this.contents.set(bytes, offsetBytes);
    const end = offsetBytes + bytes.length;
    for (let at = offsetBytes; at < end; at += this.#blockBytes) this.#cache?.clean(at / this.#blockBytes);
    this.#endLies(offsetBytes, bytes.length);
  }

  #outcome(io: SimIo): number {
    switch (io.kind) {
      case 'read':
        return this.#read(io);
      case 'flush':
        return this.#flush(io);
      case 'writeZeroes':
      case 'discard':
        if (!this.#options.canZero) return -ERRNO.EOPNOTSUPP;
        return this.#write(io);
      case 'write':
        return this.#write(io);
    }
  }

  #read(io: SimIo): number {
    const { memory } = this.#options;
    const { offsetBytes, lengthBytes, memoryOffset } = io;
    const failing = this.faults.isFlawless ? -1 : this.#findFailing('read', io);
    if (failing !== -1) {
      memory.bytes.fill(0xee, memoryOffset, memoryOffset + lengthBytes);
      return -this.#fail('read', failing);
    }
    memory.bytes.set(this.contents.subarray(offsetBytes, offsetBytes + lengthBytes), memoryOffset);
    if (this.lies.size > 0) this.#tellLies(io);
    return lengthBytes;
  }

  #write(io: SimIo): number {
    const failing = this.faults.isFlawless ? -1 : this.#findFailing('write', io);
    if (failing !== -1) {
      if (!io.isApplied) this.#applyInPart(io, failing);
      const errno = this.#fail('write', failing);
      this.#spoil(failing);
      this.#endInCache(io, false);
      return -errno;
    }
    if (!io.isApplied) this.#apply(io, 0, this.#blockCount(io));
    if (!this.faults.isFlawless) this.#heal(io);
    this.#endInCache(io, io.durable);
    return io.kind === 'write' ? io.lengthBytes : 0;
  }

  #flush(io: SimIo): number {
    const areOthers = this.#flushCount > 0;
    if (this.faults.failingFlushes > 0) {
      this.faults.failingFlushes -= 1;
      this.#cache?.flushFailed(areOthers);
      const { watcher } = this.#options;
      watcher.flushFailed(this);
      this.loseCache(this.faults.flushKeepTimes, (block) => watcher.reverting(this, block));
      return -ERRNO.EIO;
    }
    this.#cache?.flushed(io.serial, areOthers);
    return 0;
  }

  /** Puts so many of its blocks where they belong. */
  #apply(io: SimIo, from: number, blockCount: number): void {
    const first = io.offsetBytes / this.#blockBytes + from;
    for (let block = first; block < first + blockCount; block += 1) {
      this.#cache?.beforeWrite(block, io.serial);
    }
    const at = first * this.#blockBytes;
    const lengthBytes = blockCount * this.#blockBytes;
    const source = io.memoryOffset + from * this.#blockBytes;
    if (io.kind === 'write')
      this.contents.set(this.#options.memory.bytes.subarray(source, source + lengthBytes), at);
    else if (io.kind === 'writeZeroes' || this.#options.random.chance(1, 2))
      this.contents.fill(0, at, at + lengthBytes);
    io.isApplied = true;
    if (this.lies.size > 0) this.#endLies(at, lengthBytes);
  }

  #applyPerhaps(io: SimIo): void {
    const { random } = this.#options;
    if (random.chance(3, 4) && !this.#touchesFailing(io)) this.#apply(io, 0, this.#blockCount(io));
    else this.#applyInPart(io);
  }

  /** Any of its blocks, except the one that failed. */
  #applyInPart(io: SimIo, failing = -1): void {
    const { random } = this.#options;
    const first = io.offsetBytes / this.#blockBytes;
    const times = random.below(5);
    for (let index = 0; index < this.#blockCount(io); index += 1) {
      if (first + index === failing || this.faults.has(first + index, BlockFlag.unwritable)) continue;
      if (random.chance(times, 4)) this.#apply(io, index, 1);
    }
  }

  /** A page of metadata, cut off at any byte: of those between the first and the last one that changes. */
  #tearInside(io: SimIo): void {
    const { random, memory } = this.#options;
    const source = memory.bytes.subarray(io.memoryOffset, io.memoryOffset + io.lengthBytes);
    const torn = this.contents.slice(io.offsetBytes, io.offsetBytes + io.lengthBytes);
    const first = torn.findIndex((byte, index) => byte !== source[index]);
    const last = torn.findLastIndex((byte, index) => byte !== source[index]);
    io.isApplied = true;
    if (first === -1) return;
    const cut = first + random.below(last - first + 2);
    if (random.chance(1, 2)) torn.set(source.subarray(0, cut), 0);
    else torn.set(source.subarray(cut), cut);
    this.overwrite(io.offsetBytes, torn);
  }

  #findFailing(on: 'read' | 'write', io: SimIo): number {
    return this.faults.findFailing(on, io.offsetBytes / this.#blockBytes, this.#blockCount(io));
  }

  #touchesFailing(io: SimIo): boolean {
    return !this.faults.isFlawless && this.#findFailing('write', io) !== -1;
  }

  #fail(on: 'read' | 'write', block: number): number {
    this.#options.watcher.blockFailed(this, block);
    return this.faults.errnoOf(on, block);
  }

  #spoil(block: number): void {
    const flags = this.faults.flags(block);
    if ((flags & BlockFlag.spoiltByFailedWrite) === 0 || (flags & BlockFlag.unreadable) !== 0) return;
    this.#options.watcher.damaging(this, block);
    this.faults.set(block, flags | BlockFlag.unreadable);
  }

  /** What was written can be read again, or can't for good. */
  #heal(io: SimIo): void {
    const first = io.offsetBytes / this.#blockBytes;
    for (let block = first; block < first + this.#blockCount(io); block += 1) {
      const flags = this.faults.flags(block);
      if ((flags & BlockFlag.unreadable) === 0) continue;
      if ((flags & BlockFlag.healsWhenWritten) !== 0) this.faults.set(block, flags & ~BlockFlag.unreadable);
      else this.#options.watcher.damaging(this, block);
    }
  }

  #tellLies(io: SimIo): void {
    for (const [offsetBytes, page] of this.lies) {
      const within = offsetBytes - io.offsetBytes;
      if (within < 0 || within + page.length > io.lengthBytes) continue;
      this.#options.memory.bytes.set(page, io.memoryOffset + within);
    }
  }

  #endLies(offsetBytes: number, lengthBytes: number): void {
    for (const at of this.lies.keys()) {
      if (at < offsetBytes + lengthBytes && at + LIE_BYTES > offsetBytes) this.lies.delete(at);
    }
  }

  #isDeadFor(io: SimIo): boolean {
    return this.isGone || io.front!.isCutOff;
  }

  /** The disk is gone before it has answered: what it has done of the I/O is in its cache. */
  #abort(io: SimIo): number {
    if (io.kind === 'flush') this.#cache?.flushFailed(this.#flushCount > 0);
    else if (io.changesContents) this.#endInCache(io, false);
    return this.#deadAnswer(io);
  }

  /** Answered or not, nothing of it happens later: the next flush covers what the cache has of it. */
  #endInCache(io: SimIo, durable: boolean): void {
    const first = io.offsetBytes / this.#blockBytes;
    this.#cache?.completed(first, this.#blockCount(io), io.serial, this.#now(), durable);
  }

  /** As Linux answers for a disk that has vanished while it was open. */
  #deadAnswer({ kind }: SimIo): number {
    const { saysIo } = this.#options;
    if (saysIo || kind === 'flush') return -ERRNO.EIO;
    return kind === 'read' ? -ERRNO.ENODEV : -ERRNO.ENOSPC;
  }

  #blockCount(io: SimIo): number {
    return io.lengthBytes / this.#blockBytes;
  }

  #now(): number {
    this.#serial += 1;
    return this.#serial;
  }

  #latencyUs(io: SimIo): number {
    const { random, latencyUs, stragglerOdds } = this.#options;
    const base = (5 + random.below(latencyUs)) * (random.chance(1, stragglerOdds) ? STRAGGLER : 1);
    if (this.faults.isFlawless || io.kind === 'flush') return base;
    return this.faults.isSlow(io.offsetBytes / this.#blockBytes, this.#blockCount(io)) ? base * 400 : base;
  }
}

export interface SimDiskOptions {
  /** 0 is the main device. */
  readonly target: number;
  readonly sizeBytes: number;
  readonly blockBytes: number;
  readonly hasVolatileCache: boolean;
  readonly canZero: boolean;
  readonly identity: DeviceIdentity;
  /** An I/O takes up to so long. */
  readonly latencyUs: number;
  /** One of so many takes much longer. */
  readonly stragglerOdds: number;
  /** When it has vanished it says EIO to everything, not what tells of a device. */
  readonly saysIo: boolean;
  readonly memory: IoMemory;
  readonly clock: SimClock;
  readonly random: Random;
  readonly watcher: DiskWatcher;
  /** Of its size; `stable` may hold anything. */
  readonly contents: Uint8Array;
  readonly stable: Uint8Array;
  /** A write here that is cut off may end at any byte: checksums tell. Elsewhere blocks are written whole or not. */
  readonly tearsInside: (target: number, offsetBytes: number) => boolean;
}

/** Hears what really happens on the disks. */
export interface DiskWatcher {
  answered(io: SimIo, result: number): void;
  /** An I/O failed because of this block. */
  blockFailed(disk: SimDisk, block: number): void;
  /** What this block holds can't be read from now on. */
  damaging(disk: SimDisk, block: number): void;
  /** This block is about to go back to what is on stable storage. */
  reverting(disk: SimDisk, block: number): void;
  flushFailed(disk: SimDisk): void;
}

function geometryOf(options: SimDiskOptions): Geometry {
  const { sizeBytes, blockBytes, canZero, hasVolatileCache, identity } = options;
  return {
    sizeBytes,
    logicalBlockBytes: blockBytes,
    physicalBlockBytes: 4096,
    memoryAlignmentBytes: 512,
    rotational: true,
    readOnly: false,
    queue: { ...PLAIN_QUEUE, volatileCache: hasVolatileCache, canWriteZeroes: canZero },
    identity,
  };
}

/** Times as long. */
const STRAGGLER = 20;
const LIE_BYTES = 4096;
/** How much of the cache a power cut spares, of 8. */
const KEEP_TIMES = [0, 0, 1, 4, 7, 8];
