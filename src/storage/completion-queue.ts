import { assert } from '../base/assert.js';
import type { CompletionSink } from '../ports/block-store.js';
import type { Scheduler } from '../ports/scheduler.js';

/**
 * Completions that are due but must not be told inside the submitting call. One scheduled task tells all that are
 * waiting, so that a busy store allocates once per batch, not per I/O.
 */
export class CompletionQueue {
  readonly #scheduler: Scheduler;
  readonly #drain: () => void;
  #sink: CompletionSink | undefined;
  /** Pairs of ticket and result; doubled when full. */
  #pending = new Int32Array(128);
  #told = new Int32Array(128);
  #count = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#drain = () => this.#tellAll();
  }

  attach(sink: CompletionSink): void {
    assert(this.#sink === undefined, 'a store has one sink');
    this.#sink = sink;
  }

  push(ticket: number, result: number): void {
    if (this.#count === 0) this.#scheduler.after(0, this.#drain);
    if (2 * this.#count === this.#pending.length) this.#grow();
    this.#pending[2 * this.#count] = ticket;
    this.#pending[2 * this.#count + 1] = result;
    this.#count += 1;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** What the sink submits meanwhile goes to the other array and is told by the next task. */
  #tellAll(): void {
    const sink = this.#sink;
    assert(sink !== undefined, 'a store is attached before its first I/O');
    const batch = this.#pending;
    const count = this.#count;
    this.#pending = this.#told;
    this.#told = batch;
    this.#count = 0;
    for (let index = 0; index < count; index += 1) sink.complete(batch[2 * index]!, batch[2 * index + 1]!);
  }

  #grow(): void {
    const larger = new Int32Array(2 * this.#pending.length);
    larger.set(this.#pending);
    this.#pending = larger;
  }
}
