/**
 * What each spare took durably of the map, where that is not the newest: a spare that fails or is gone misses updates
 * while the others go on. An update that it missed may lie over it all the same, torn (`verifySpare`). Tells a spare that
 * comes back from an older copy of it. Grows with what is missed, by one number for each page at most.
 */
export class CopyLag {
  /** Called when a spare misses an update. */
  onMissed: (spareIndex: number) => void = () => {};
  /** By spare: pages that miss an update, with the sequence of the last one that was taken; 0: unknown. */
  readonly #pages: readonly Map<number, number>[];
  /** By spare: sequence of the last superblock that it took; 0: unknown. */
  readonly #superblocks: number[];
  readonly #misses: boolean[];
  readonly #hasIncompleteCopy: boolean[];

  constructor(spareCount: number) {
    this.#pages = Array.from({ length: spareCount }, () => new Map<number, number>());
    this.#superblocks = new Array<number>(spareCount).fill(0);
    this.#misses = new Array<boolean>(spareCount).fill(false);
    this.#hasIncompleteCopy = new Array<boolean>(spareCount).fill(false);
  }

  /** `tookIt`: at least one copy on this spare is durable. */
  noteSuperblock(spareIndex: number, sequence: number, tookIt: boolean): void {
    this.#misses[spareIndex] = !tookIt;
    if (tookIt) this.#superblocks[spareIndex] = sequence;
    else this.onMissed(spareIndex);
  }

  /** The same for a page; `sequenceBefore` is that of the update before. */
  notePage(spareIndex: number, page: number, sequenceBefore: number, tookIt: boolean): void {
    const pages = this.#pages[spareIndex]!;
    if (tookIt) {
      pages.delete(page);
      return;
    }
    if (!pages.has(page)) pages.set(page, sequenceBefore);
    this.onMissed(spareIndex);
  }

  /** A copy on this spare failed to take an update, whether or not another copy there took it. */
  noteIncompleteCopy(spareIndex: number): void {
    this.#hasIncompleteCopy[spareIndex] = true;
  }

  /** All copies on this spare are about to be written anew. */
  forgetIncompleteCopies(spareIndex: number): void {
    this.#hasIncompleteCopy[spareIndex] = false;
  }

  hasIncompleteCopy(spareIndex: number): boolean {
    return this.#hasIncompleteCopy[spareIndex]!;
  }

  isBehind(spareIndex: number): boolean {
    return this.#misses[spareIndex]! || this.#pages[spareIndex]!.size > 0;
  }

  pagesBehind(spareIndex: number): readonly number[] {
    return [...this.#pages[spareIndex]!.keys()];
  }

  missesSuperblock(spareIndex: number): boolean {
    return this.#misses[spareIndex]!;
  }

  /** The last update of the superblock is durable; else a copy may have it all the same. */
  get isSuperblockDurable(): boolean {
    return this.#misses.includes(false);
  }

  superblockSequence(spareIndex: number): number {
    return this.#superblocks[spareIndex]!;
  }

  /** Undefined where the spare has the newest. */
  pageSequence(spareIndex: number, page: number): number | undefined {
    return this.#pages[spareIndex]!.get(page);
  }
}
