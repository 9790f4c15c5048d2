/**
 * Which devices (the main device is target 0) have taken writes that no flush has covered yet. Any thread notes its
 * writes; flushes are one thread's, the owner's.
 *
 * A flush takes the mark down before it is sent and sets it again if it fails. A write is noted after it completed and
 * before it is acknowledged: if it finds the mark up, the flush that takes it down is sent later and covers the write;
 * if not, it puts it up for the next one. While a flush is on its way its device counts as dirty still, because another
 * request must not conclude that its writes are durable before they are.
 */
export class DirtySpares {
  /** By target: 1 if it took writes since the last flush was sent. */
  readonly #dirty: Int32Array;
  readonly #flushesUnderWay: Uint32Array;
  readonly #flushFailures: Float64Array;

  /** `dirty`: a word for each target, in shared memory where there are other threads. */
  constructor(dirty: Int32Array) {
    this.#dirty = dirty;
    this.#flushesUnderWay = new Uint32Array(dirty.length);
    this.#flushFailures = new Float64Array(dirty.length);
  }

  /** Any thread: call when a write has completed, before it is acknowledged. */
  noteWritten(target: number): void {
    if (Atomics.load(this.#dirty, target) === 0) Atomics.store(this.#dirty, target, 1);
  }

  isDirty(target: number): boolean {
    return this.#flushesUnderWay[target] !== 0 || Atomics.load(this.#dirty, target) !== 0;
  }

  /** Call before a flush is sent. */
  noteFlushStarted(target: number): void {
    this.#flushesUnderWay[target]! += 1;
    Atomics.store(this.#dirty, target, 0);
  }

  noteFlushEnded(target: number, succeeded: boolean): void {
    this.#flushesUnderWay[target]! -= 1;
    if (succeeded) return;
    this.#flushFailures[target]! += 1;
    Atomics.store(this.#dirty, target, 1);
  }

  /** What was not flushed may be lost, as after a flush that failed: the device was replaced, its cache is gone. */
  noteCacheLost(target: number): void {
    this.#flushFailures[target]! += 1;
  }

  /** Flushes of this target that failed so far. */
  flushFailures(target: number): number {
    return this.#flushFailures[target]!;
  }
}
