/**
 * Spares that fail as a whole rather than in single units: nothing new is placed on them for a while, longer each
 * time. What they hold stays mapped. Pure: the time is handed in.
 */
export class SpareSuspension {
  readonly #untilMs = new Map<number, number>();
  readonly #pauseMs = new Map<number, number>();

  isSuspended(spareIndex: number, nowMs: number): boolean {
    return nowMs < (this.#untilMs.get(spareIndex) ?? Number.NEGATIVE_INFINITY);
  }

  suspend(spareIndex: number, nowMs: number): void {
    const pauseMs = this.#pauseMs.get(spareIndex) ?? FIRST_PAUSE_MS;
    if (this.#untilMs.get(spareIndex) === Number.POSITIVE_INFINITY) return;
    this.#untilMs.set(spareIndex, nowMs + pauseMs);
    this.#pauseMs.set(spareIndex, Math.min(pauseMs * 2, LONGEST_PAUSE_MS));
  }

  /** It is gone: nothing is placed on it before `resume`. */
  suspendUntilBack(spareIndex: number): void {
    this.#untilMs.set(spareIndex, Number.POSITIVE_INFINITY);
  }

  /** It is back from being gone. */
  resume(spareIndex: number): void {
    this.#untilMs.delete(spareIndex);
    this.#pauseMs.delete(spareIndex);
  }

  /** It took a unit: the next trouble is a new one. */
  noteWorking(spareIndex: number): void {
    this.#pauseMs.delete(spareIndex);
  }
}

/** A loose cable comes back within seconds; a dead spare is tried about once an hour. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 3_600_000;
