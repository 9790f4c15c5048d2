import { assert } from '../base/assert.js';

/** A set of 512-byte sectors, as sorted ranges that neither overlap nor touch. Immutable; lookups take O(log n). */
export class SectorRanges {
  static readonly none = new SectorRanges(new Float64Array(0), new Float64Array(0));
  readonly #starts: Float64Array;
  /** Exclusive. */
  readonly #ends: Float64Array;

  private constructor(starts: Float64Array, ends: Float64Array) {
    this.#starts = starts;
    this.#ends = ends;
  }

  /** From `[start, end)` pairs in any order, overlapping or not. */
  static of(pairs: readonly SectorRange[]): SectorRanges {
    const sorted = [...pairs].sort((a, b) => a.start - b.start);
    const merged: { start: number; end: number }[] = [];
    for (const { start, end } of sorted) {
      assert(start < end, `empty range ${start} to ${end}`);
      const last = merged.at(-1);
      if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
      else merged.push({ start, end });
    }
    return new SectorRanges(
      Float64Array.from(merged, (range) => range.start),
      Float64Array.from(merged, (range) => range.end),
    );
  }

  get isEmpty(): boolean {
    return this.#starts.length === 0;
  }

  /** The ranges, in order. */
  pairs(): SectorRange[] {
    return Array.from(this.#starts, (start, index) => ({ start, end: this.#ends[index]! }));
  }

  /** The first sector of the set in `[start, end)`, or -1. */
  firstWithin(start: number, end: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! <= start) low = middle + 1;
      else high = middle;
    }
    if (low === this.#ends.length || this.#starts[low]! >= end) return -1;
    return Math.max(start, this.#starts[low]!);
  }

  /** The set without the sectors of `[start, end)`. */
  without(start: number, end: number): SectorRanges {
    const rest: SectorRange[] = [];
    for (const range of this.pairs()) {
      if (range.start < Math.min(start, range.end))
        rest.push({ start: range.start, end: Math.min(start, range.end) });
      if (Math.max(end, range.start) < range.end)
        rest.push({ start: Math.max(end, range.start), end: range.end });
    }
    return SectorRanges.of(rest);
  }
}

/** `end` is exclusive. */
export interface SectorRange {
  readonly start: number;
  readonly end: number;
}
