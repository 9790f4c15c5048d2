import { assert } from '../base/assert.js';
import { alignDown, alignUp } from '../base/units.js';

/**
 * Which spare units are free. Derived state: never stored, rebuilt from descriptors and layout at every start.
 * Hands out the lowest free unit where nobody says where, so that the used part of the metadata stays short and quick to
 * recover.
 */
export class SpareAllocator {
  readonly #taken: Uint32Array;
  readonly #unitCount: number;
  /** By first unit of a range: its units below this one are all taken. */
  readonly #noneBelow = new Map<number, number>();
  #freeCount: number;
  /** Those that `freeIn` was asked for. */
  readonly #ranges: { readonly firstUnit: number; readonly unitCount: number; freeCount: number }[] = [];

  constructor(unitCount: number) {
    this.#unitCount = unitCount;
    this.#taken = new Uint32Array(Math.ceil(unitCount / 32));
    this.#freeCount = unitCount;
    for (let unit = unitCount; unit < this.#taken.length * 32; unit += 1) this.#setBit(unit);
  }

  /** To plan with. */
  copy(): SpareAllocator {
    const copy = new SpareAllocator(this.#unitCount);
    copy.#taken.set(this.#taken);
    copy.#freeCount = this.#freeCount;
    return copy;
  }

  get freeCount(): number {
    return this.#freeCount;
  }

  get takenCount(): number {
    return this.#unitCount - this.#freeCount;
  }

  /** The lowest free unit, now taken; -1 when there is none. */
  allocate(): number {
    return this.allocateIn(0, this.#unitCount);
  }

  /** The lowest free unit of a range, now taken; -1 when there is none. */
  allocateIn(firstUnit: number, unitCount: number): number {
    const end = firstUnit + unitCount;
    const found = this.#findFree(Math.max(firstUnit, this.#noneBelow.get(firstUnit) ?? 0), end);
    this.#noneBelow.set(firstUnit, found === -1 ? end : found + 1);
    if (found !== -1) this.take(found);
    return found;
  }

  /** The next free unit of a range from `from` on, or else from its start; now taken; -1 when there is none. */
  allocateFrom(from: number, firstUnit: number, unitCount: number): number {
    const behind = this.#findFree(from, firstUnit + unitCount);
    const found = behind === -1 ? this.#findFree(firstUnit, from) : behind;
    if (found !== -1) this.take(found);
    return found;
  }

  /** Where the first `GROUP_UNITS` units of a range begin of which none is taken; -1 when there are none. */
  firstFreeGroup(firstUnit: number, unitCount: number): number {
    const end = alignDown(firstUnit + unitCount, GROUP_UNITS);
    for (let unit = alignUp(firstUnit, GROUP_UNITS); unit < end; unit += GROUP_UNITS)
      if (this.#taken[unit / GROUP_UNITS] === 0) return unit;
    return -1;
  }

  /** Where so many free units in a row begin, within a range; -1 when they do nowhere. */
  firstFreeRun(length: number, firstUnit: number, unitCount: number): number {
    const end = firstUnit + unitCount;
    let start = this.#findFree(firstUnit, end);
    while (start !== -1 && start + length <= end) {
      let next = start + 1;
      while (next < start + length && !this.isTaken(next)) next += 1;
      if (next === start + length) return start;
      start = this.#findFree(next, end);
    }
    return -1;
  }

  /** How many units of a range are free. Counted the first time that it is asked for. */
  freeIn(firstUnit: number, unitCount: number): number {
    const known = this.#ranges.find(
      (range) => range.firstUnit === firstUnit && range.unitCount === unitCount,
    );
    if (known !== undefined) return known.freeCount;
    let freeCount = 0;
    for (let unit = firstUnit; unit < firstUnit + unitCount; unit += 1)
      if (!this.isTaken(unit)) freeCount += 1;
    this.#ranges.push({ firstUnit, unitCount, freeCount });
    return freeCount;
  }

  /** Marks a unit as not to be handed out: mapped, retired, reserved for metadata, or on a dead spare. */
  take(unit: number): void {
    assert(unit >= 0 && unit < this.#unitCount, `spare unit ${unit} of ${this.#unitCount}`);
    assert(!this.isTaken(unit), `spare unit ${unit} has an owner already`);
    this.#setBit(unit);
    this.#countFree(unit, -1);
  }

  /** Like `take`, for units that may be taken already. */
  takeRange(firstUnit: number, unitCount: number): void {
    for (let unit = firstUnit; unit < firstUnit + unitCount; unit += 1)
      if (!this.isTaken(unit)) this.take(unit);
  }

  release(unit: number): void {
    assert(this.isTaken(unit), `spare unit ${unit} is free already`);
    this.#taken[unit >>> 5]! &= ~(1 << (unit & 31));
    this.#countFree(unit, 1);
    for (const [firstUnit, bound] of this.#noneBelow) {
      if (unit >= firstUnit && unit < bound) this.#noneBelow.set(firstUnit, unit);
    }
  }

  isTaken(unit: number): boolean {
    return (this.#taken[unit >>> 5]! & (1 << (unit & 31))) !== 0;
  }

  #countFree(unit: number, change: 1 | -1): void {
    this.#freeCount += change;
    for (const range of this.#ranges)
      if (unit >= range.firstUnit && unit < range.firstUnit + range.unitCount) range.freeCount += change;
  }

  /** The lowest free unit from `from` to before `end`; -1 when there is none. */
  #findFree(from: number, end: number): number {
    for (let unit = from; unit < end; unit = alignDown(unit, 32) + 32) {
      const free = ~this.#taken[unit >>> 5]! & (0xffff_ffff << (unit & 31));
      if (free === 0) continue;
      const found = alignDown(unit, 32) + 31 - Math.clz32(lowestBit(free));
      return found < end ? found : -1;
    }
    return -1;
  }

  #setBit(unit: number): void {
    this.#taken[unit >>> 5]! |= 1 << (unit & 31);
  }
}

function lowestBit(word: number): number {
  return word & -word;
}

/** Units that can be looked at in one go. */
export const GROUP_UNITS = 32;
