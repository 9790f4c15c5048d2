import { assert } from '../base/assert.js';
import { alignDown } from '../base/units.js';

/**
 * Which spare units are free. Derived state: never stored, rebuilt from descriptors and layout at every start.
 * Hands out the lowest free unit, so that the used part of the metadata stays short and quick to recover.
 */
export class SpareAllocator {
  readonly #taken: Uint32Array;
  readonly #unitCount: number;
  /** By first unit of a range: its units below this one are all taken. */
  readonly #noneBelow = new Map<number, number>();
  #freeCount: number;

  constructor(unitCount: number) {
    this.#unitCount = unitCount;
    this.#taken = new Uint32Array(Math.ceil(unitCount / 32));
    this.#freeCount = unitCount;
    for (let unit = unitCount; unit < this.#taken.length * 32; unit += 1) this.#setBit(unit);
  }

  get freeCount(): number {
    return this.#freeCount;
  }

  /** The lowest free unit, now taken; -1 when there is none. */
  allocate(): number {
    return this.allocateIn(0, this.#unitCount);
  }

  /** The lowest free unit of a range, now taken; -1 when there is none. */
  allocateIn(firstUnit: number, unitCount: number): number {
    const end = firstUnit + unitCount;
    let unit = Math.max(firstUnit, this.#noneBelow.get(firstUnit) ?? 0);
    while (unit < end) {
      const free = ~this.#taken[unit >>> 5]! & (0xffff_ffff << (unit & 31));
      const found = free === 0 ? end : alignDown(unit, 32) + 31 - Math.clz32(lowestBit(free));
      if (found < end) {
        this.take(found);
        this.#noneBelow.set(firstUnit, found + 1);
        return found;
      }
      unit = alignDown(unit, 32) + 32;
    }
    this.#noneBelow.set(firstUnit, end);
    return -1;
  }

  /** Marks a unit as not to be handed out: mapped, retired, reserved for metadata, or on a dead spare. */
  take(unit: number): void {
    assert(unit >= 0 && unit < this.#unitCount, `spare unit ${unit} of ${this.#unitCount}`);
    assert(!this.isTaken(unit), `spare unit ${unit} has an owner already`);
    this.#setBit(unit);
    this.#freeCount -= 1;
  }

  /** Like `take`, for units that may be taken already. */
  takeRange(firstUnit: number, unitCount: number): void {
    for (let unit = firstUnit; unit < firstUnit + unitCount; unit += 1)
      if (!this.isTaken(unit)) this.take(unit);
  }

  release(unit: number): void {
    assert(this.isTaken(unit), `spare unit ${unit} is free already`);
    this.#taken[unit >>> 5]! &= ~(1 << (unit & 31));
    this.#freeCount += 1;
    for (const [firstUnit, bound] of this.#noneBelow) {
      if (unit >= firstUnit && unit < bound) this.#noneBelow.set(firstUnit, unit);
    }
  }

  isTaken(unit: number): boolean {
    return (this.#taken[unit >>> 5]! & (1 << (unit & 31))) !== 0;
  }

  #setBit(unit: number): void {
    this.#taken[unit >>> 5]! |= 1 << (unit & 31);
  }
}

function lowestBit(word: number): number {
  return word & -word;
}
