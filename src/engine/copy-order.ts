import { REGION_BYTES } from './limits.js';
import type { RegionFilter } from './region-filter.js';
import { RegionFlag } from './region-filter.js';

/**
 * In which order the regions of a failing disk are copied: as ddrescue does it, what is easy to get first. One pass
 * forwards over regions of which nothing was moved, leaping ahead where something can't be read, further each time; one
 * backwards over what that left out, so that a bad area is met from its other end; then what was bad, thoroughly, in
 * several rounds, as long as a round still gets something. Pure state; the caller copies.
 */
export class CopyOrder {
  readonly regionCount: number;
  readonly #filter: RegionFilter;
  readonly #state: Uint8Array;
  #pass: CopyPass = 'forward';
  #round = 0;
  /** Regions that were copied at some time, whatever became stale since. */
  readonly #everCopied: Uint8Array;
  #everCopiedCount = 0;
  #copiedCount = 0;
  #copiedBeforeRound = 0;
  #next = 0;
  /** The pass forwards leaves out what is before. */
  #resumeAt = 0;
  #leapRegions = 1;

  constructor(mainSizeBytes: number, filter: RegionFilter) {
    this.regionCount = Math.ceil(mainSizeBytes / REGION_BYTES);
    this.#filter = filter;
    this.#state = new Uint8Array(this.regionCount);
    this.#everCopied = new Uint8Array(this.regionCount);
  }

  get pass(): CopyPass {
    return this.#pass;
  }

  get copiedCount(): number {
    return this.#copiedCount;
  }

  get isWhole(): boolean {
    return this.#copiedCount === this.regionCount;
  }

  isCopied(region: number): boolean {
    return this.#state[region] === RegionState.copied;
  }

  /** The next region of this pass; -1: there is none, and when all are noted that were taken, `nextPass`. */
  take(): number {
    const step = this.#pass === 'backward' ? -1 : 1;
    for (; this.#next >= 0 && this.#next < this.regionCount; this.#next += step) {
      if (!this.#isDue(this.#next)) continue;
      const region = this.#next;
      this.#next += step;
      this.#state[region] = RegionState.taken;
      return region;
    }
    return -1;
  }

  note(region: number, isCopied: boolean): void {
    this.#state[region] = isCopied ? RegionState.copied : RegionState.bad;
    if (isCopied) this.#noteCopied(region);
    if (this.#pass !== 'forward') return;
    this.#leapRegions = isCopied ? 1 : Math.min(2 * this.#leapRegions, MAX_LEAP_REGIONS);
    if (!isCopied) this.#resumeAt = Math.max(this.#resumeAt, region + this.#leapRegions);
  }

  /** Before anything is taken: it was copied by an earlier process, and is the same still. */
  noteCopiedBefore(region: number): void {
    this.#state[region] = RegionState.copied;
    this.#noteCopied(region);
  }

  /** Copied at some time; it need not be the same any more. */
  wasCopied(region: number): boolean {
    return this.#everCopied[region] === 1;
  }

  get everCopiedCount(): number {
    return this.#everCopiedCount;
  }

  #noteCopied(region: number): void {
    this.#copiedCount += 1;
    if (this.#everCopied[region] === 1) return;
    this.#everCopied[region] = 1;
    this.#everCopiedCount += 1;
  }

  /** Copied, but not any more the same. */
  noteStale(region: number): void {
    if (this.#state[region] !== RegionState.copied) return;
    this.#state[region] = RegionState.bad;
    this.#copiedCount -= 1;
  }

  /** False: all is copied, or what is not can't be had. */
  nextPass(): boolean {
    if (this.isWhole) return false;
    if (this.#pass === 'forward') {
      this.#begin('backward');
      return true;
    }
    const isFruitless = this.#pass === 'thorough' && this.#copiedCount === this.#copiedBeforeRound;
    if (isFruitless || this.#round === MAX_THOROUGH_ROUNDS) return false;
    this.#round += 1;
    this.#begin('thorough');
    return true;
  }

  /** For what became stale, when everything else is over. */
  beginAgain(): void {
    this.#round = 1;
    this.#begin('thorough');
  }

  #begin(pass: CopyPass): void {
    this.#pass = pass;
    this.#copiedBeforeRound = this.#copiedCount;
    this.#next = pass === 'backward' ? this.regionCount - 1 : 0;
  }

  #isDue(region: number): boolean {
    const state = this.#state[region];
    if (this.#pass === 'thorough') return state === RegionState.bad;
    if (state !== RegionState.untried) return false;
    if (this.#pass === 'backward') return true;
    const isMoved = this.#filter.hasAny(region * REGION_BYTES, 1, RegionFlag.remapped);
    return region >= this.#resumeAt && !isMoved;
  }
}

export type CopyPass = 'forward' | 'backward' | 'thorough';

const RegionState = { untried: 0, taken: 1, bad: 2, copied: 3 } as const;

/** 64 MiB: enough to leave a scratch on a platter, and little of a disk. */
const MAX_LEAP_REGIONS = 64;
const MAX_THOROUGH_ROUNDS = 4;
