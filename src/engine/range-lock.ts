import { assert } from '../base/assert.js';

/**
 * Exclusive ranges of main units, granted in order of arrival: a later range that overlaps an earlier one, granted or
 * waiting, waits. Pure; the device tells requests that run into a range to wait and starts them again afterwards.
 */
export class RangeLocks {
  #ranges: LockedRange[] = [];
  #nextId = 1;

  /** Asks for a range (inclusive ends). It is in force against new requests at once, and `granted` when alone. */
  ask(firstUnit: number, lastUnit: number): LockedRange {
    assert(firstUnit <= lastUnit, `range ${firstUnit}-${lastUnit}`);
    const granted = !this.overlaps(firstUnit, lastUnit);
    const range: LockedRange = { id: this.#nextId++, firstUnit, lastUnit, granted };
    this.#ranges.push(range);
    return range;
  }

  /** Any range, granted or waiting, that touches these units. */
  overlaps(firstUnit: number, lastUnit: number): boolean {
    return this.#ranges.some((range) => range.firstUnit <= lastUnit && firstUnit <= range.lastUnit);
  }

  /** Ends a range; returns it and the ranges that this grants. */
  release(id: number): { readonly released: LockedRange; readonly granted: readonly LockedRange[] } {
    const index = this.#ranges.findIndex((range) => range.id === id);
    const released = this.#ranges[index];
    assert(released?.granted, `lock ${id} is held`);
    this.#ranges.splice(index, 1);
    const granted = this.#ranges.filter(
      (range, position) => !range.granted && !this.#blocked(range, position),
    );
    for (const range of granted) range.granted = true;
    return { released, granted };
  }

  get count(): number {
    return this.#ranges.length;
  }

  #blocked(range: LockedRange, position: number): boolean {
    return this.#ranges.some(
      (other, index) =>
        index < position && other.firstUnit <= range.lastUnit && range.firstUnit <= other.lastUnit,
    );
  }
}

export interface LockedRange {
  readonly id: number;
  readonly firstUnit: number;
  readonly lastUnit: number;
  granted: boolean;
}
