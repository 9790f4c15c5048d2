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
  private failuresKnown: number;
  /** The first stands for what the client wrote before: to an earlier process, or on a connection that broke (P9). */
  private writesStarted = 1;
  private writesInFlight = 0;
  private writesFlushed = 0;

  constructor(errors: FlushErrors) {
    this.errors = errors;
    this.failuresKnown = errors.flushFailureCount;
  }

  writeStarted(): void {
    if (this.writesStarted === this.writesFlushed) this.failuresKnown = this.errors.flushFailureCount;
    this.writesStarted += 1;
    this.writesInFlight += 1;
  }

  writeFinished(): void {
    this.writesInFlight -= 1;
  }

  /** A flush starts now: what it will have covered (writes in flight may be missed), for `flushFinished`. */
  flushStarted(): number {
    const covered = this.writesInFlight === 0 ? this.writesStarted : this.writesFlushed;
    return covered * FAILURES_TOLD_APART + this.failuresModulo;
  }

  /**
   * `started`: from `flushStarted`. `ok`: what the device said. Returns whether the client may be told so. A flush that
   * was under way while another failed may have found nothing left to write: it counts as failed.
   */
  flushFinished(started: number, ok: boolean): boolean {
    const covered = Math.floor(started / FAILURES_TOLD_APART);
    const failedMeanwhile = started % FAILURES_TOLD_APART !== this.failuresModulo;
    const { flushFailureCount } = this.errors;
    const isConcerned = this.writesStarted !== this.writesFlushed;
    const unheard = isConcerned && (failedMeanwhile || this.failuresKnown !== flushFailureCount);
    this.failuresKnown = flushFailureCount;
    if (ok && covered > this.writesFlushed) this.writesFlushed = covered;
    return ok && !unheard;
  }

  private get failuresModulo(): number {
    return this.errors.flushFailureCount % FAILURES_TOLD_APART;
  }
}

/** Both numbers of `flushStarted` in one: no object per flush. So many failures do not happen while one is under way. */
const FAILURES_TOLD_APART = 1024;
