import type { Scheduler } from '../../src/ports/scheduler.js';

/** A scheduler on a clock that moves only when it is told to: tasks due at the same time run in their order. */
export class ManualScheduler implements Scheduler {
  #nowMs = 0;
  #tasks: { dueMs: number; task: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallClockSeconds(): number {
    return 1_700_000_000 + Math.floor(this.#nowMs / 1000);
  }

  after(delayMs: number, task: () => void): void {
    this.#tasks.push({ dueMs: this.#nowMs + delayMs, task });
  }

  /** Runs what is due within `durationMs`, and what comes of it; 0: what is due now. */
  advance(durationMs = 0): void {
    const endMs = this.#nowMs + durationMs;
    for (let next = this.#takeDue(endMs); next !== undefined; next = this.#takeDue(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.task();
    }
    this.#nowMs = endMs;
  }

  /** Runs one task of those that are due now, by `pick(how many)`; false if there is none. What comes of it waits. */
  runOne(pick: (dueCount: number) => number): boolean {
    const due = this.#tasks.filter(({ dueMs }) => dueMs <= this.#nowMs);
    if (due.length === 0) return false;
    const chosen = due[pick(due.length)]!;
    this.#tasks.splice(this.#tasks.indexOf(chosen), 1);
    chosen.task();
    return true;
  }

  /** Runs task after task, moving the clock as needed; rejects when nothing is left to run and `done()` is not true. */
  async runUntil(done: () => boolean): Promise<void> {
    while (!done()) {
      const next = this.#takeDue(Number.MAX_VALUE);
      if (next === undefined) throw new Error('nothing is scheduled and it is still not done');
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.task();
    }
  }

  #takeDue(endMs: number): { dueMs: number; task: () => void } | undefined {
    const soonest = Math.min(...this.#tasks.map(({ dueMs }) => dueMs));
    if (!(soonest <= endMs)) return undefined;
    return this.#tasks.splice(
      this.#tasks.findIndex(({ dueMs }) => dueMs === soonest),
      1,
    )[0];
  }
}
