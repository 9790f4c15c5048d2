/**
 * Flushes that failed, as the clients of one ublk device have been told, over all its queues. The page cache above is
 * one client whichever processor it runs on, so one word is shared: after a failed flush anywhere in the device the
 * next flush request fails, and all that are under way beside it; those that begin later are told no more of it.
 */
export class FlushFailures {
  readonly #told: Int32Array;

  /** `told`: one shared word; starts as the device's count of failed flushes, or as `FAILED_EARLIER`. */
  constructor(told: Int32Array) {
    this.#told = told;
  }

  /** When a flush request begins, for `mustFail`. */
  get told(): number {
    return Atomics.load(this.#told, 0);
  }

  /**
   * When a flush request is answered: whether failures have happened that nobody had been told of when it began. From now on
   * somebody has.
   */
  mustFail(toldBefore: number, failureCount: number): boolean {
    Atomics.store(this.#told, 0, failureCount | 0);
    return toldBefore !== (failureCount | 0);
  }
}

/** Failures have happened that no flush request will be failed for by this process any more. */
export function hasUntold(told: Int32Array, failureCount: number): boolean {
  return Atomics.load(told, 0) !== (failureCount | 0);
}

/** No number of failures: an earlier process of the block device has left some untold, so the first flush fails. */
export const FAILED_EARLIER = -1;
