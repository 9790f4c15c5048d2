import type { Random } from './random.js';

/**
 * The volatile cache of a disk: which blocks hold something newer than stable storage does, and what that holds. A
 * block's stable contents are any of those that it had since the last flush, because a disk may write its cache back
 * at any time: each time a dirty block is overwritten, the dice say whether that has happened.
 *
 * What a failed flush has dropped may go on being read, as from the kernel's page cache, until that needs the room.
 */
export class DiskCache {
  readonly #contents: Uint8Array;
  readonly #stable: Uint8Array;
  readonly #blockBytes: number;
  readonly #random: Random;
  /** Place in the list of dirty blocks, -1 for a clean one. */
  readonly #place: Int32Array;
  readonly #dirty: Int32Array;
  #dirtyCount = 0;
  /** Which I/O wrote a block last, and when that was completed. */
  readonly #writer: Int32Array;
  readonly #completedAt: Float64Array;
  /** When the first completed write was, of those that were written over and are not on stable storage. */
  readonly #coveredAt: Float64Array;
  /** Dropped, and read all the same: no flush finds anything to do for them. */
  readonly #phantoms = new Set<number>();
  /** When the last of the flushes under way was begun; -1: none is. */
  #coveredUntil = -1;

  /** `stable` has the size of `contents`. */
  constructor(contents: Uint8Array, stable: Uint8Array, blockBytes: number, random: Random) {
    const blockCount = contents.length / blockBytes;
    this.#contents = contents;
    this.#stable = stable;
    this.#blockBytes = blockBytes;
    this.#random = random;
    this.#place = new Int32Array(blockCount).fill(-1);
    this.#dirty = new Int32Array(blockCount);
    this.#writer = new Int32Array(blockCount).fill(-1);
    this.#completedAt = new Float64Array(blockCount);
    this.#coveredAt = new Float64Array(blockCount);
  }

  /** What is read of the block is not what is on stable storage. */
  isAhead(block: number): boolean {
    return this.#place[block] !== -1 || this.#phantoms.has(block);
  }

  /** Of these blocks, those that may be forgotten at any time. */
  phantomsIn(first: number, blockCount: number): readonly number[] {
    if (this.#phantoms.size === 0) return [];
    return [...this.#phantoms].filter((block) => block >= first && block < first + blockCount);
  }

  forgetPhantom(block: number): void {
    this.#revert(block);
    this.#phantoms.delete(block);
  }

  /** Before the block's contents change by the I/O `serial`. */
  beforeWrite(block: number, serial: number): void {
    if (this.#place[block] === -1) {
      this.#place[block] = this.#dirtyCount;
      this.#dirty[this.#dirtyCount] = block;
      this.#dirtyCount += 1;
      if (this.#phantoms.delete(block)) this.#coveredAt[block] = Number.POSITIVE_INFINITY;
      else this.#keep(block);
    } else if (this.#completedAt[block]! <= this.#coveredUntil || this.#random.chance(1, 4)) {
      this.#keep(block);
    } else if (this.#completedAt[block] !== Number.POSITIVE_INFINITY) {
      this.#cover(block, this.#completedAt[block]!);
    }
    this.#writer[block] = serial;
    this.#completedAt[block] = Number.POSITIVE_INFINITY;
  }

  /** The I/O is answered. `durable`: it is on stable storage. */
  completed(firstBlock: number, blockCount: number, serial: number, now: number, durable: boolean): void {
    for (let block = firstBlock; block < firstBlock + blockCount; block += 1) {
      // Written over already, by a write that may not be completed: a flush from now on covers it all the same.
      if (this.#writer[block] === serial) this.#completedAt[block] = now;
      else this.#cover(block, now);
      if (durable) this.clean(block);
    }
  }

  flushStarted(now: number): void {
    this.#coveredUntil = now;
  }

  /** What was completed before it began is stable. `othersUnderWay`: there are more flushes. */
  flushed(startedAt: number, othersUnderWay: boolean): void {
    if (!othersUnderWay) this.#coveredUntil = -1;
    for (let index = this.#dirtyCount - 1; index >= 0; index -= 1) {
      const block = this.#dirty[index]!;
      const at = Math.min(this.#completedAt[block]!, this.#coveredAt[block]!);
      if (at <= startedAt) this.clean(block);
    }
  }

  flushFailed(othersUnderWay: boolean): void {
    if (!othersUnderWay) this.#coveredUntil = -1;
  }

  /**
   * Dirty blocks are forgotten, `keepTimes` of 8 excepted, which have been written back; `reverted` hears of each that
   * changes, before it does. Those that `isPhantom` names are read as before until they are forgotten one by one.
   */
  drop(keepTimes: number, reverted: (block: number) => void, isPhantom = NONE): void {
    for (let index = this.#dirtyCount - 1; index >= 0; index -= 1) {
      const block = this.#dirty[index]!;
      const isKept = this.#random.chance(keepTimes, 8);
      if (!isKept) reverted(block);
      const staysReadable = !isKept && isPhantom(block);
      if (!isKept && !staysReadable) this.#revert(block);
      this.clean(block);
      if (staysReadable) this.#phantoms.add(block);
    }
    this.#coveredUntil = -1;
  }

  /** As when the power fails: they are what is on stable storage from now on. */
  forgetPhantoms(reverted: (block: number) => void): void {
    for (const block of this.#phantoms) {
      reverted(block);
      this.#revert(block);
    }
    this.#phantoms.clear();
  }

  /** What the block holds is on stable storage. */
  clean(block: number): void {
    this.#phantoms.delete(block);
    const place = this.#place[block]!;
    if (place === -1) return;
    this.#dirtyCount -= 1;
    const last = this.#dirty[this.#dirtyCount]!;
    this.#dirty[place] = last;
    this.#place[last] = place;
    this.#place[block] = -1;
  }

  #cover(block: number, completedAt: number): void {
    this.#coveredAt[block] = Math.min(this.#coveredAt[block]!, completedAt);
  }

  #revert(block: number): void {
    const at = block * this.#blockBytes;
    this.#contents.set(this.#stable.subarray(at, at + this.#blockBytes), at);
  }

  #keep(block: number): void {
    this.#coveredAt[block] = Number.POSITIVE_INFINITY;
    const at = block * this.#blockBytes;
    this.#stable.set(this.#contents.subarray(at, at + this.#blockBytes), at);
  }
}

const NONE = (_block: number): boolean => false;
