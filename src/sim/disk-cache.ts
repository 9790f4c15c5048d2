import type { Random } from './random.js';

/**
 * The volatile cache of a disk: which blocks hold something newer than stable storage does, and what that holds. A
 * block's stable contents are any of those that it had since the last flush, because a disk may write its cache back
 * at any time: each time a dirty block is overwritten, the dice say whether that has happened.
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
  /** When the last completed write was, of those that were written over and are not on stable storage. */
  readonly #coveredAt: Float64Array;
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

  isDirty(block: number): boolean {
    return this.#place[block] !== -1;
  }

  /** Before the block's contents change by the I/O `serial`. */
  beforeWrite(block: number, serial: number): void {
    if (this.#place[block] === -1) {
      this.#place[block] = this.#dirtyCount;
      this.#dirty[this.#dirtyCount] = block;
      this.#dirtyCount += 1;
      this.#keep(block);
    } else if (this.#completedAt[block]! <= this.#coveredUntil || this.#random.chance(1, 4)) {
      this.#keep(block);
    } else if (this.#completedAt[block] !== Number.POSITIVE_INFINITY) {
      this.#coveredAt[block] = this.#completedAt[block]!;
    }
    this.#writer[block] = serial;
    this.#completedAt[block] = Number.POSITIVE_INFINITY;
  }

  /** The I/O is answered. `durable`: it is on stable storage. */
  completed(firstBlock: number, blockCount: number, serial: number, now: number, durable: boolean): void {
    for (let block = firstBlock; block < firstBlock + blockCount; block += 1) {
      if (this.#writer[block] !== serial) {
        // Written over while it was in flight: whichever is there, a flush from now on makes it durable.
        this.#coveredAt[block] = Math.min(this.#coveredAt[block]!, now);
        continue;
      }
      this.#completedAt[block] = now;
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
   * changes, before it does.
   */
  drop(keepTimes: number, reverted: (block: number) => void): void {
    for (let index = this.#dirtyCount - 1; index >= 0; index -= 1) {
      const block = this.#dirty[index]!;
      if (!this.#random.chance(keepTimes, 8)) {
        reverted(block);
        const at = block * this.#blockBytes;
        this.#contents.set(this.#stable.subarray(at, at + this.#blockBytes), at);
      }
      this.clean(block);
    }
    this.#coveredUntil = -1;
  }

  /** What the block holds is on stable storage. */
  clean(block: number): void {
    const place = this.#place[block]!;
    if (place === -1) return;
    this.#dirtyCount -= 1;
    const last = this.#dirty[this.#dirtyCount]!;
    this.#dirty[place] = last;
    this.#place[last] = place;
    this.#place[block] = -1;
  }

  #keep(block: number): void {
    this.#coveredAt[block] = Number.POSITIVE_INFINITY;
    const at = block * this.#blockBytes;
    this.#stable.set(this.#contents.subarray(at, at + this.#blockBytes), at);
  }
}
