/**
 * What a client has to believe of a flush that the device says has worked: after a flush of any disk that failed, writes
 * from before may be gone, and the next one that works says nothing of them (ports/served-device.ts).
 */
export class UnflushedWrites {
  #failuresKnown = 0;
  /** The first stands for what the process before has taken (frontends/flush-history.ts does the same). */
  #started = 1;
  #inFlight = 0;
  #flushed = 0;

  writeStarted(flushFailureCount: number): void {
    if (this.#started === this.#flushed) this.#failuresKnown = flushFailureCount;
    this.#started += 1;
    this.#inFlight += 1;
  }

  writeFinished(): void {
    this.#inFlight -= 1;
  }

  /** How many writes it will cover; for `flushFinished`. */
  flushStarted(): number {
    return this.#inFlight === 0 ? this.#started : this.#flushed;
  }

  /** False if the client has to take it for one that failed. */
  flushFinished(mark: number, worked: boolean, flushFailureCount: number): boolean {
    const heardOfAll = this.heardOfAll(flushFailureCount);
    this.#failuresKnown = flushFailureCount;
    if (worked && mark > this.#flushed) this.#flushed = mark;
    return worked && heardOfAll;
  }

  heardOfAll(flushFailureCount: number): boolean {
    return this.#started === this.#flushed || this.#failuresKnown === flushFailureCount;
  }

  /** The device begins anew, and counts failures from 0. */
  reset(): void {
    this.#failuresKnown = 0;
    this.#started = 1;
    this.#inFlight = 0;
    this.#flushed = 0;
  }
}
