import type { CompletionSink } from '../ports/block-store.js';
import type { Scheduler } from '../ports/scheduler.js';
import { BegunIo } from './begun-io.js';

/**
 * Stands for a thread: what it does goes through `run`. While a task of it is interrupted (`AtomicSteps`) others run,
 * but its own next task has to wait.
 */
export class Actor implements CompletionSink {
  /** Those that are at work, the innermost last, and an `INTERRUPTION` above each that was interrupted. */
  static readonly #atWork: (Actor | typeof INTERRUPTION)[] = [];
  /** Gets completions; left out, they go nowhere, as after a kill. */
  sink: CompletionSink | undefined;
  readonly begun = new BegunIo();
  readonly #scheduler: Scheduler;
  #lifeNumber = 0;
  /** What came while it was interrupted. */
  #backlog: (() => void)[] = [];

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Interrupts the actor that runs just now, if one does; `deepest`: how many may be interrupted at once. */
  static interrupt(deepest: number, others: () => void): void {
    const stack = Actor.#atWork;
    if (stack.length === 0 || stack.at(-1) === INTERRUPTION || stack.length >= 2 * deepest) return;
    stack.push(INTERRUPTION);
    try {
      others();
    } finally {
      stack.pop();
    }
  }

  get isAtWork(): boolean {
    return Actor.#atWork.includes(this);
  }

  /** At once, or as soon as it has finished what it is doing. */
  run(task: () => void): void {
    const stack = Actor.#atWork;
    if (stack.at(-1) === this) return task();
    if (this.isAtWork) {
      this.#backlog.push(task);
      return;
    }
    stack.push(this);
    try {
      task();
    } finally {
      stack.pop();
      for (const next of this.#backlog.splice(0)) this.scheduler.after(0, next);
    }
  }

  complete(ticket: number, result: number): void {
    this.run(() => this.sink?.complete(ticket, result));
  }

  /** What it has planned does not happen any more, nor what comes of what it has begun. */
  kill(): void {
    this.sink = undefined;
    this.#backlog = [];
    this.#lifeNumber += 1;
  }

  /** A clock whose tasks are this actor's. */
  get scheduler(): Scheduler {
    const inner = this.#scheduler;
    return {
      nowMs: () => inner.nowMs(),
      wallClockSeconds: () => inner.wallClockSeconds(),
      after: (delayMs, task) => {
        const lifeNumber = this.#lifeNumber;
        inner.after(delayMs, () => {
          if (lifeNumber === this.#lifeNumber && this.sink !== undefined) this.run(task);
        });
      },
    };
  }
}

const INTERRUPTION = 'interruption';
