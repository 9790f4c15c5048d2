/**
 * Flushes that failed, as the clients of one ublk device have been told, over all its queues. The page cache above is
 * one client whichever processor it runs on, so one word is shared: after a failed flush anywhere in the device the
 * next flush request fails, once.
 */
export class FlushFailures {
  readonly #told: Int32Array;

  /** `told`: one shared word; starts as the device's count of failed flushes. */
  constructor(told: Int32Array) {
    this.#told = told;
  }

  /** Whether failures have happened that no flush request has been failed for; from now on one has. */
  takeUntold(failureCount: number): boolean {
    return Atomics.exchange(this.#told, 0, failureCount | 0) !== (failureCount | 0);
  }
}
