/**
 * Who must hear of a failed flush. After one, the device may have dropped dirty data and forgotten about it (the
 * next flush succeeds), so every client with writes that no successful flush has covered gets EIO on its own
 * next flush, once. Linux does the same for files ("errseq").
 */
export interface FlushErrors {
  /** Flushes of the device's disks that failed so far, whoever asked for them. */
  readonly flushFailureCount: number;
}

/** What one client wrote and flushed. */
export class FlushHistory {
  private readonly errors: FlushErrors;
  /** Failures this client has been told of, or that came before its unflushed writes. */
  private failuresKnown = 0;
  private writesStarted = 0;
  private writesInFlight = 0;
  private writesFlushed = 0;

  constructor(errors: FlushErrors) {
    this.errors = errors;
  }

  writeStarted(): void {
    if (this.writesStarted === this.writesFlushed) this.failuresKnown = this.errors.flushFailureCount;
    this.writesStarted += 1;
    this.writesInFlight += 1;
  }

  writeFinished(): void {
    this.writesInFlight -= 1;
  }

  /** What a flush that starts now will have covered; hand it to `flushFinished`. Writes in flight may be missed. */
  flushStarted(): number {
    return this.writesInFlight === 0 ? this.writesStarted : this.writesFlushed;
  }

  /** `ok`: what the device said. Returns whether the client may be told so. */
  flushFinished(mark: number, ok: boolean): boolean {
    const { flushFailureCount } = this.errors;
    const unheard = this.writesStarted !== this.writesFlushed && this.failuresKnown !== flushFailureCount;
    this.failuresKnown = flushFailureCount;
    if (ok && mark > this.writesFlushed) this.writesFlushed = mark;
    return ok && !unheard;
  }
}
