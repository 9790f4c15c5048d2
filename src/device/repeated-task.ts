import type { Scheduler } from '../ports/scheduler.js';

/** Does something every so often, from the end of one time to the start of the next; the period can change. */
export class RepeatedTask {
  readonly #scheduler: Scheduler;
  readonly #task: (done: () => void) => void;
  /** Timers of an older period do nothing. */
  #epoch = 0;

  constructor(scheduler: Scheduler, task: (done: () => void) => void) {
    this.#scheduler = scheduler;
    this.#task = task;
  }

  /** A new period begins now; 0: never again. */
  every(periodMs: number): void {
    this.#epoch += 1;
    if (periodMs > 0) this.#after(periodMs, this.#epoch);
  }

  /** What is under way goes on. */
  stop(): void {
    this.every(0);
  }

  #after(periodMs: number, epoch: number): void {
    this.#scheduler.after(periodMs, () => {
      if (epoch !== this.#epoch) return;
      this.#task(() => {
        if (epoch === this.#epoch) this.#after(periodMs, epoch);
      });
    });
  }
}
