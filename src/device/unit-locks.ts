import type { DeviceShape } from '../engine/device-shape.js';
import { REGION_BYTES } from '../engine/limits.js';
import type { LockedRange } from '../engine/range-lock.js';
import { RangeLocks } from '../engine/range-lock.js';
import type { RegionFilter } from '../engine/region-filter.js';
import { RegionFlag } from '../engine/region-filter.js';
import type { SlotFields } from './slot-fields.js';
import { Phase } from './slot-fields.js';

/**
 * Sole use of ranges of units: waits until no request has them in flight, and keeps new requests out meanwhile
 * through the region filter. A handful of locks at a time; scanning the slots is cheap enough for that.
 *
 * Locks are the owner's, requests may be in flight on any thread of the device (`QueueDevice`). Each side first says
 * what it is about to do and then looks at the other (Dekker's way), with atomic operations, which have one order:
 *
 *     a queue                                        the owner
 *     1. range of the request, then phase = inFlight  1. locked flag of the regions
 *     2. looks at the flags of the regions            2. `locksWaiting` = 1
 *        locked: takes the phase back, forwards       3. looks at all phases: in flight here? then waits
 *        else: table, then I/O                           else: the units are quiet
 *     3. I/O done: phase = waiting
 *     4. `locksWaiting`? then rings the owner
 *
 * - Not both go on: if the owner's look missed the phase, the phase was stored after it, so the queue's look came after
 *   the flag and saw it. What a queue finds unlocked therefore stays as it is in table and filter until its I/O is done:
 *   every change to a unit is made while it is locked, and made before the flag is cleared, so it is seen as well.
 * - Nobody waits for ever: if the owner's look saw the phase, the phase ended after it, so the queue's look at
 *   `locksWaiting` came after that was set, and the owner is rung. `poll` looks once more after it said that it may
 *   sleep (`Doorbell`).
 * - A slot that is used again while the owner looks may show half of the old range and half of the new one. The old
 *   request is over then, and the new one has come after the flag: it will take its phase back, which rings the owner.
 * - A flag is cleared only when no other lock needs it, never to be set again a moment later: a queue might look in
 *   between.
 */
export class UnitLocks {
  readonly #locks = new RangeLocks();
  readonly #shape: DeviceShape;
  readonly #filter: RegionFilter;
  readonly #slots: SlotFields;
  readonly #waitingWord: Int32Array;
  /** Of the other threads. */
  #queues: readonly SlotFields[] = [];
  #waiting: WaitingLock[] = [];

  /** `waitingWord`: `SharedWords.locksWaiting`. */
  constructor(
    shape: DeviceShape,
    filter: RegionFilter,
    slots: SlotFields,
    waitingWord: Int32Array = new Int32Array(1),
  ) {
    this.#shape = shape;
    this.#filter = filter;
    this.#slots = slots;
    this.#waitingWord = waitingWord;
  }

  /** Requests of another thread; before it starts its first one. */
  addQueue(slots: SlotFields): void {
    this.#queues = [...this.#queues, slots];
  }

  /** When the other thread has ended. */
  removeQueue(slots: SlotFields): void {
    this.#queues = this.#queues.filter((other) => other !== slots);
  }

  /** The id if the units are free and quiet now; else undefined, and `granted` is called with it later. */
  lock(firstUnit: number, lastUnit: number, granted: (lockId: number) => void): number | undefined {
    const range = this.#locks.ask(firstUnit, lastUnit);
    this.#flag(range);
    Atomics.store(this.#waitingWord, 0, 1);
    const isQuiet = range.granted && this.#isQuiet(range);
    if (!isQuiet) this.#waiting.push({ range, granted });
    this.#sayWaiting();
    return isQuiet ? range.id : undefined;
  }

  /** The id, or 0 if anybody is at work on these units. */
  tryLock(firstUnit: number, lastUnit: number): number {
    if (this.#locks.overlaps(firstUnit, lastUnit)) return 0;
    const range = this.#locks.ask(firstUnit, lastUnit);
    this.#flag(range);
    if (this.#isQuiet(range)) return range.id;
    this.#release(range.id);
    return 0;
  }

  unlock(lockId: number): void {
    this.#release(lockId);
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
    this.#sayWaiting();
    for (const { range, granted } of ready) granted(range.id);
  }

  #isQuiet(range: Pick<LockedRange, 'firstUnit' | 'lastUnit'>): boolean {
    const { unitBytes } = this.#shape;
    const from = range.firstUnit * unitBytes;
    const end = (range.lastUnit + 1) * unitBytes;
    if (hasInFlight(this.#slots, from, end, false)) return false;
    return !this.#queues.some((slots) => hasInFlight(slots, from, end, true));
  }

  #flag({ firstUnit, lastUnit }: LockedRange): void {
    const { unitBytes, mainSizeBytes } = this.#shape;
    const from = firstUnit * unitBytes;
    const end = Math.min((lastUnit + 1) * unitBytes, mainSizeBytes);
    this.#filter.set(from, end - from, RegionFlag.locked);
  }

  #release(lockId: number): void {
    const { firstUnit, lastUnit } = this.#locks.release(lockId).released;
    const unitsPerRegion = REGION_BYTES / this.#shape.unitBytes;
    const lastRegion = Math.floor(lastUnit / unitsPerRegion);
    for (let region = Math.floor(firstUnit / unitsPerRegion); region <= lastRegion; region += 1) {
      const first = region * unitsPerRegion;
      if (this.#locks.overlaps(first, first + unitsPerRegion - 1)) continue;
      this.#filter.clear(region * REGION_BYTES, 1, RegionFlag.locked);
    }
  }

  #sayWaiting(): void {
    Atomics.store(this.#waitingWord, 0, this.#waiting.length);
  }
}

/** `isShared`: the slots are another thread's. */
function hasInFlight(slots: SlotFields, from: number, end: number, isShared: boolean): boolean {
  const { phase, offsetBytes, lengthBytes, count } = slots;
  for (let slot = 0; slot < count; slot += 1) {
    const now = isShared ? Atomics.load(phase, slot) : phase[slot];
    if (now !== Phase.inFlight) continue;
    if (offsetBytes[slot]! < end && offsetBytes[slot]! + lengthBytes[slot]! > from) return true;
  }
  return false;
}

interface WaitingLock {
  readonly range: LockedRange;
  readonly granted: (lockId: number) => void;
}
