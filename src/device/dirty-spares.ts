/** Which devices (the main device is target 0) have taken writes that no flush has covered yet. */
export class DirtySpares {
  /** By target: writes that have completed, and how many of them a successful flush has covered. */
  readonly #written: Float64Array;
  readonly #flushed: Float64Array;
  readonly #flushFailures: Float64Array;

  constructor(targetCount: number) {
    // An earlier process may have left writes that no flush has covered.
    this.#written = new Float64Array(targetCount).fill(1);
    this.#flushed = new Float64Array(targetCount);
    this.#flushFailures = new Float64Array(targetCount);
  }

  /** Call when a write completes: a flush that began before it does not cover it. */
  noteWritten(target: number): void {
    this.#written[target]! += 1;
  }

  isDirty(target: number): boolean {
    return this.#written[target] !== this.#flushed[target];
  }

  /** What a flush that begins now will have covered; hand it to `noteFlushed` if it succeeds. */
  mark(target: number): number {
    return this.#written[target]!;
  }

  flushFailures(target: number): number {
    return this.#flushFailures[target]!;
  }

  noteFlushFailed(target: number): void {
    this.#flushFailures[target]! += 1;
  }

  noteFlushed(target: number, mark: number): void {
    if (mark > this.#flushed[target]!) this.#flushed[target] = mark;
  }
}
