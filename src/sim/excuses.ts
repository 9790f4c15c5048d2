/** When something was so wrong with the disks that requests may fail. Times are of the virtual clock. */
export class Excuses {
  readonly #outage = new Outage();
  /** A device could not even be read. */
  readonly #silence = new Outage();
  #flushFailedAtUs = Number.NEGATIVE_INFINITY;
  #flushFailedBeforeAtUs = Number.NEGATIVE_INFINITY;
  /** A device has been gone in this life of the process. */
  hadOutage = false;
  hadFlushFailure = false;

  /** `isReadable`: it only takes no writes. */
  noteGone(isReadable: boolean): void {
    this.#outage.begin();
    if (!isReadable) this.#silence.begin();
    this.hadOutage = true;
  }

  /** All devices are there, and the process knows it. */
  noteAllBack(nowUs: number): void {
    this.#outage.end(nowUs);
    this.#silence.end(nowUs);
  }

  noteFlushFailed(nowUs: number): void {
    this.#flushFailedBeforeAtUs = this.#flushFailedAtUs;
    this.#flushFailedAtUs = nowUs;
    this.hadFlushFailure = true;
  }

  /** The last failure goes on until here. */
  noteFlushFailureHeard(nowUs: number): void {
    this.#flushFailedAtUs = nowUs;
  }

  /** Whatever was, the process begins anew. */
  newLife(): void {
    this.hadOutage = false;
    this.hadFlushFailure = false;
  }

  /** A device was gone at some time since then, as far as anybody knew. */
  outageSince(startUs: number): boolean {
    return this.#outage.wasSince(startUs);
  }

  /** As `outageSince`, of a device that could not be read either. */
  silenceSince(startUs: number): boolean {
    return this.#silence.wasSince(startUs);
  }

  flushFailedSince(startUs: number): boolean {
    return this.#flushFailedAtUs >= startUs;
  }

  /** More than one did. */
  flushesFailedSince(startUs: number): boolean {
    return this.#flushFailedBeforeAtUs >= startUs;
  }
}

/** The last one. */
class Outage {
  #endedAtUs = Number.NEGATIVE_INFINITY;

  begin(): void {
    this.#endedAtUs = Number.POSITIVE_INFINITY;
  }

  end(nowUs: number): void {
    if (this.#endedAtUs === Number.POSITIVE_INFINITY) this.#endedAtUs = nowUs;
  }

  wasSince(startUs: number): boolean {
    return this.#endedAtUs >= startUs;
  }
}
