import type { DeviceShape } from '../engine/device-shape.js';
import type { LockedRange } from '../engine/range-lock.js';
import { RangeLocks } from '../engine/range-lock.js';
import type { RegionFilter } from '../engine/region-filter.js';
import { RegionFlag } from '../engine/region-filter.js';
import type { RequestSlots } from './request-slots.js';
import { Phase } from './request-slots.js';

/**
 * Sole use of ranges of units: waits until no request has them in flight, and keeps new requests out meanwhile
 * through the region filter. A handful of locks at a time; scanning the slots is cheap enough for that.
 */
export class UnitLocks {
  readonly #locks = new RangeLocks();
  readonly #shape: DeviceShape;
  readonly #filter: RegionFilter;
  readonly #slots: RequestSlots;
  #waiting: WaitingLock[] = [];

  constructor(shape: DeviceShape, filter: RegionFilter, slots: RequestSlots) {
    this.#shape = shape;
    this.#filter = filter;
    this.#slots = slots;
  }

  /** The id if the units are free and quiet now; else undefined, and `granted` is called with it later. */
  lock(firstUnit: number, lastUnit: number, granted: (lockId: number) => void): number | undefined {
    const range = this.#locks.ask(firstUnit, lastUnit);
    this.#flag(range);
    if (range.granted && this.#isQuiet(range)) return range.id;
    this.#waiting.push({ range, granted });
    return undefined;
  }

  /** The id, or 0 if anybody is at work on these units. */
  tryLock(firstUnit: number, lastUnit: number): number {
    if (this.#locks.overlaps(firstUnit, lastUnit)) return 0;
    if (!this.#isQuiet({ firstUnit, lastUnit })) return 0;
    const range = this.#locks.ask(firstUnit, lastUnit);
    this.#flag(range);
    return range.id;
  }

  unlock(lockId: number): void {
    const { released } = this.#locks.release(lockId);
    this.#filter.clear(this.#offset(released), this.#length(released), RegionFlag.locked);
    this.#locks.forEach((range) => {
      this.#flag(range);
    });
    this.grantQuiet();
  }

  /** A request must wait if it touches a range that is locked or about to be. */
  blocks(offsetBytes: number, lengthBytes: number): boolean {
    const { unitBytes } = this.#shape;
    const lastUnit = Math.floor((offsetBytes + lengthBytes - 1) / unitBytes);
    return this.#locks.overlaps(Math.floor(offsetBytes / unitBytes), lastUnit);
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Called when requests have completed: grants every lock whose units have become quiet. */
  grantQuiet(): void {
    const ready = this.#waiting.filter(({ range }) => range.granted && this.#isQuiet(range));
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter((lock) => !ready.includes(lock));
    for (const { range, granted } of ready) granted(range.id);
  }

  #isQuiet(range: Pick<LockedRange, 'firstUnit' | 'lastUnit'>): boolean {
    const { unitBytes } = this.#shape;
    const from = range.firstUnit * unitBytes;
    const end = (range.lastUnit + 1) * unitBytes;
    const { phase, offsetBytes, lengthBytes, count } = this.#slots;
    for (let slot = 0; slot < count; slot += 1) {
      if (phase[slot] !== Phase.inFlight) continue;
      if (offsetBytes[slot]! < end && offsetBytes[slot]! + lengthBytes[slot]! > from) return false;
    }
    return true;
  }

  #flag(range: LockedRange): void {
    this.#filter.set(this.#offset(range), this.#length(range), RegionFlag.locked);
  }

  #offset(range: LockedRange): number {
    return range.firstUnit * this.#shape.unitBytes;
  }

  #length(range: LockedRange): number {
    const end = Math.min((range.lastUnit + 1) * this.#shape.unitBytes, this.#shape.mainSizeBytes);
    return end - this.#offset(range);
  }
}

interface WaitingLock {
  readonly range: LockedRange;
  readonly granted: (lockId: number) => void;
}
