import { ERRNO } from '../base/errno.js';

/** What is wrong with single blocks of a disk, apart from what they hold. */
export class DiskFaults {
  readonly #flags: Uint8Array;
  /** Blocks with any flag: most disks have none, and need not be looked through. */
  flaggedCount = 0;
  /** By block: how often an I/O that touches it fails before it works again. */
  readonly #transient = new Map<
    number,
    { left: number; readonly errno: number; readonly on: 'read' | 'write' }
  >();
  /** So many of the next flushes fail. */
  failingFlushes = 0;
  /** How much of the cache survives such a flush, of 8. */
  flushKeepTimes = 0;

  constructor(blockCount: number) {
    this.#flags = new Uint8Array(blockCount);
  }

  get isFlawless(): boolean {
    return this.flaggedCount === 0 && this.#transient.size === 0;
  }

  set(block: number, flags: number): void {
    if (this.#flags[block] === 0 && flags !== 0) this.flaggedCount += 1;
    if (this.#flags[block] !== 0 && flags === 0) this.flaggedCount -= 1;
    this.#flags[block] = flags;
  }

  /** Nothing is wrong with it any more. */
  clear(): void {
    this.#flags.fill(0);
    this.flaggedCount = 0;
    this.endTransient();
  }

  has(block: number, flag: number): boolean {
    return (this.#flags[block]! & flag) !== 0;
  }

  flags(block: number): number {
    return this.#flags[block]!;
  }

  failNextTimes(block: number, on: 'read' | 'write', times: number, errno: number): void {
    this.#transient.set(block, { left: times, errno, on });
  }

  /** The first block of the range that fails this I/O, or -1. A transient fault has then had its turn. */
  findFailing(on: 'read' | 'write', firstBlock: number, blockCount: number): number {
    const flag = on === 'read' ? BlockFlag.unreadable : BlockFlag.unwritable;
    const end = firstBlock + blockCount;
    if (this.flaggedCount > 0) {
      for (let block = firstBlock; block < end; block += 1) if (this.has(block, flag)) return block;
    }
    return this.#findTransient(on, firstBlock, end);
  }

  /** Why an I/O fails that touches this block; positive. */
  errnoOf(on: 'read' | 'write', block: number): number {
    const passing = this.#transient.get(block);
    const flag = on === 'read' ? BlockFlag.unreadable : BlockFlag.unwritable;
    if (!this.has(block, flag) && passing !== undefined) {
      passing.left -= 1;
      if (passing.left <= 0) this.#transient.delete(block);
      return passing.errno;
    }
    return this.has(block, BlockFlag.ambiguous) ? ERRNO.EIO : ERRNO.ENODATA;
  }

  isSlow(firstBlock: number, blockCount: number): boolean {
    if (this.flaggedCount === 0) return false;
    for (let block = firstBlock; block < firstBlock + blockCount; block += 1) {
      if (this.has(block, BlockFlag.slow)) return true;
    }
    return false;
  }

  /** Everything works again. */
  endTransient(): void {
    this.#transient.clear();
    this.failingFlushes = 0;
  }

  #findTransient(on: 'read' | 'write', firstBlock: number, end: number): number {
    for (const [block, passing] of this.#transient) {
      if (block >= firstBlock && block < end && passing.on === on) return block;
    }
    return -1;
  }
}

export const BlockFlag = {
  unreadable: 1,
  unwritable: 2,
  /** A write makes it readable. */
  healsWhenWritten: 4,
  /** A write that fails makes it unreadable. */
  spoiltByFailedWrite: 8,
  /** Fails with EIO, which could be the device's, not with the error of a bad medium. */
  ambiguous: 16,
  slow: 32,
} as const;
