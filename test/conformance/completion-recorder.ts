import { assert } from '../../src/base/assert.js';
import type { CompletionSink } from '../../src/ports/block-store.js';

/** A sink that knows what is in flight, and throws at a completion that nobody waits for or that comes too early. */
export class CompletionRecorder implements CompletionSink {
  inFlightCount = 0;
  completionCount = 0;
  /** Called after each completion was recorded; may start more. */
  onComplete: (ticket: number) => void = () => {};
  readonly #inFlight = new Set<number>();
  readonly #results = new Map<number, number>();
  #inSubmission = false;

  /** Calls `submit`, which starts exactly one operation on `ticket`. */
  start(ticket: number, submit: () => void): void {
    assert(!this.#inFlight.has(ticket), `ticket ${ticket} is in flight already`);
    this.#inFlight.add(ticket);
    this.#results.delete(ticket);
    this.inFlightCount += 1;
    this.#inSubmission = true;
    submit();
    this.#inSubmission = false;
  }

  complete(ticket: number, result: number): void {
    assert(!this.#inSubmission, `ticket ${ticket} completed inside the submitting call`);
    assert(this.#inFlight.delete(ticket), `ticket ${ticket} completed without being in flight`);
    this.inFlightCount -= 1;
    this.completionCount += 1;
    this.#results.set(ticket, result);
    this.onComplete(ticket);
  }

  resultOf(ticket: number): number {
    const result = this.#results.get(ticket);
    assert(result !== undefined, `ticket ${ticket} has not completed`);
    return result;
  }
}
