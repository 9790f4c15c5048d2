/** When something was so wrong with the disks that requests may fail. Times are of the virtual clock. */
export class Excuses {
  #goneSinceUs = Number.POSITIVE_INFINITY;
  #backAtUs = Number.NEGATIVE_INFINITY;
  #flushFailedAtUs = Number.NEGATIVE_INFINITY;
  /** A device has been gone in this life of the process. */
  hadOutage = false;
  hadFlushFailure = false;

  noteGone(nowUs: number): void {
    this.#goneSinceUs = Math.min(this.#goneSinceUs, nowUs);
    this.#backAtUs = Number.POSITIVE_INFINITY;
    this.hadOutage = true;
  }

  /** All devices are there, and the process knows it. */
  noteAllBack(nowUs: number): void {
    if (this.#backAtUs === Number.POSITIVE_INFINITY) this.#backAtUs = nowUs;
  }

  noteFlushFailed(nowUs: number): void {
    this.#flushFailedAtUs = nowUs;
    this.hadFlushFailure = true;
  }

  /** Whatever was, the process begins anew. */
  newLife(): void {
    this.hadOutage = false;
    this.hadFlushFailure = false;
  }

  /** A device was gone at some time since then, as far as anybody knew. */
  outageSince(startUs: number): boolean {
    return this.#goneSinceUs !== Number.POSITIVE_INFINITY && this.#backAtUs >= startUs;
  }

  flushFailedSince(startUs: number): boolean {
    return this.#flushFailedAtUs >= startUs;
  }
}
