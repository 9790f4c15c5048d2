import { ERRNO } from '../base/errno.js';
import type { DiskContents } from './disk-contents.js';
import { BlockFlag, type DiskFaults } from './disk-faults.js';
import type { SimDisk } from './sim-disk.js';
import type { SimDiskOptions } from './sim-disk-options.js';
import type { SimIo } from './sim-io.js';

/** What a disk makes of an I/O when its time has come, with its bad sectors and failing flushes. */
export class DiskAnswers {
  readonly #disk: SimDisk;
  readonly #options: SimDiskOptions;
  readonly #held: DiskContents;
  readonly #faults: DiskFaults;
  readonly #blockBytes: number;

  constructor(disk: SimDisk, options: SimDiskOptions, held: DiskContents) {
    this.#disk = disk;
    this.#options = options;
    this.#held = held;
    this.#faults = disk.faults;
    this.#blockBytes = options.blockBytes;
  }

  /** What was asked for, done, or a negative errno. `areFlushesLeft`: others are under way. */
  answer(io: SimIo, now: number, areFlushesLeft: boolean): number {
    switch (io.kind) {
      case 'read':
        return this.#read(io);
      case 'flush':
        return this.#flush(io, areFlushesLeft);
      case 'writeZeroes':
      case 'discard':
        if (!this.#options.canZero) return -ERRNO.EOPNOTSUPP;
        return this.#write(io, now);
      case 'write':
        return this.#write(io, now);
    }
  }

  /** The disk is gone before it has answered: what it has done of the I/O is in its cache. */
  abort(io: SimIo, now: number, areFlushesLeft: boolean): number {
    if (io.kind === 'flush') this.#held.cache?.flushFailed(areFlushesLeft);
    else if (io.changesContents) this.#held.endInCache(io, now, false);
    return this.#deadAnswer(io);
  }

  #read(io: SimIo): number {
    const { memory } = this.#options;
    const { lengthBytes, memoryOffset } = io;
    const failing = this.#faults.isFlawless ? -1 : this.#findFailing('read', io);
    if (failing !== -1) {
      memory.bytes.fill(0xee, memoryOffset, memoryOffset + lengthBytes);
      return -this.#fail('read', failing);
    }
    this.#forgetPhantoms(io);
    this.#held.readInto(io);
    return lengthBytes;
  }

  /** Of the metadata not: docs/fault-model.md. */
  #mayBePhantom(block: number): boolean {
    const { hasPageCache, tearsInside } = this.#options;
    return hasPageCache && !tearsInside(this.#disk.target, block * this.#blockBytes);
  }

  /** A page cache is free to forget what it holds when it likes: that matters when somebody looks. */
  #forgetPhantoms({ offsetBytes, lengthBytes }: SimIo): void {
    const { cache } = this.#held;
    const phantoms = cache?.phantomsIn(offsetBytes / this.#blockBytes, lengthBytes / this.#blockBytes) ?? [];
    for (const block of phantoms) {
      if (!this.#options.random.chance(1, 4)) continue;
      this.#options.watcher.revertingLate(this.#disk);
      cache!.forgetPhantom(block);
    }
  }

  #write(io: SimIo, now: number): number {
    const failing = this.#faults.isFlawless ? -1 : this.#findFailing('write', io);
    if (failing !== -1) {
      if (!io.isApplied) this.#held.applyInPart(io, failing);
      const errno = this.#fail('write', failing);
      this.#spoil(failing);
      this.#held.endInCache(io, now, false);
      return -errno;
    }
    if (!io.isApplied) this.#held.apply(io, 0, this.#blockCount(io));
    if (!this.#faults.isFlawless) this.#heal(io);
    this.#held.endInCache(io, now, io.durable);
    return io.kind === 'write' ? io.lengthBytes : 0;
  }

  #flush(io: SimIo, areFlushesLeft: boolean): number {
    if (this.#faults.failingFlushes > 0) {
      this.#faults.failingFlushes -= 1;
      this.#held.cache?.flushFailed(areFlushesLeft);
      const { watcher } = this.#options;
      watcher.flushFailed(this.#disk);
      this.#held.cache?.drop(
        this.#faults.flushKeepTimes,
        (block) => watcher.reverting(this.#disk, block, this.#mayBePhantom(block)),
        (block) => this.#mayBePhantom(block),
      );
      return -ERRNO.EIO;
    }
    this.#held.cache?.flushed(io.serial, areFlushesLeft);
    return 0;
  }

  #findFailing(on: 'read' | 'write', io: SimIo): number {
    return this.#faults.findFailing(on, io.offsetBytes / this.#blockBytes, this.#blockCount(io));
  }

  #fail(on: 'read' | 'write', block: number): number {
    this.#options.watcher.blockFailed(this.#disk, block);
    return this.#faults.errnoOf(on, block);
  }

  #spoil(block: number): void {
    const flags = this.#faults.flags(block);
    if ((flags & BlockFlag.spoiltByFailedWrite) === 0 || (flags & BlockFlag.unreadable) !== 0) return;
    this.#options.watcher.damaging(this.#disk, block);
    this.#faults.set(block, flags | BlockFlag.unreadable);
  }

  /** What was written can be read again, or can't for good. */
  #heal(io: SimIo): void {
    const first = io.offsetBytes / this.#blockBytes;
    for (let block = first; block < first + this.#blockCount(io); block += 1) {
      const flags = this.#faults.flags(block);
      if ((flags & BlockFlag.unreadable) === 0) continue;
      if ((flags & BlockFlag.healsWhenWritten) !== 0) this.#faults.set(block, flags & ~BlockFlag.unreadable);
      else this.#options.watcher.damaging(this.#disk, block);
    }
  }

  /** As Linux answers for a disk that has vanished while it was open, or that is read-only. */
  #deadAnswer({ kind }: SimIo): number {
    const { saysIo } = this.#options;
    if (saysIo || kind === 'flush') return -ERRNO.EIO;
    if (this.#disk.isReadable) return -ERRNO.EROFS;
    return kind === 'read' ? -ERRNO.ENODEV : -ERRNO.ENOSPC;
  }

  #blockCount(io: SimIo): number {
    return io.lengthBytes / this.#blockBytes;
  }
}
