/**
 * Who must hear of a failed flush. After one, the device may have dropped dirty data and forgotten about it (the
 * next flush succeeds), so every connection gets EIO on its own next flush, once. Linux does the same for files ("errseq").
 * A client may write on one connection and flush on another (CAN_MULTI_CONN), so it doesn't matter whose the writes are. One
 * that connects later hears of it if nobody has heard before: it may be the one whose connection broke.
 */
export interface FlushErrors {
  /** Flushes of the device's disks that failed so far, whoever asked for them. */
  readonly flushFailureCount: number;
}

/** What was written on all connections of one export and has not been flushed. */
export class UnflushedWrites {
  private readonly errors: FlushErrors;
  private failuresSeen: number;
  private losses = 0;
  /** Of these some client was told. */
  lossesHeard = 0;
  /** The first stands for what clients wrote before: to an earlier process (P9). */
  private started = 1;
  private inFlight = 0;
  private flushed = 0;

  constructor(errors: FlushErrors) {
    this.errors = errors;
    this.failuresSeen = errors.flushFailureCount;
  }

  writeStarted(): void {
    this.look();
    this.started += 1;
    this.inFlight += 1;
  }

  writeFinished(): void {
    this.inFlight -= 1;
  }

  /** Failures so far that may have taken a write: one that comes while all is flushed takes none. */
  get lossCount(): number {
    this.look();
    return this.losses;
  }

  /** Writes that a flush which starts now covers: it may miss those in flight. */
  get coveredCount(): number {
    return this.inFlight === 0 ? this.started : this.flushed;
  }

  /** `coveredCount` when the flush started. */
  flushSucceeded(coveredCount: number): void {
    if (coveredCount > this.flushed) this.flushed = coveredCount;
  }

  private look(): void {
    const { flushFailureCount } = this.errors;
    if (flushFailureCount === this.failuresSeen) return;
    this.failuresSeen = flushFailureCount;
    if (this.started !== this.flushed) this.losses += 1;
  }
}

/** What one connection wrote, flushed, and has been told. */
export class FlushHistory {
  private readonly writes: UnflushedWrites;
  private lossesTold: number;

  /** `writes`: of the export, shared by its connections. */
  constructor(writes: UnflushedWrites) {
    this.writes = writes;
    this.lossesTold = writes.lossesHeard;
  }

  writeStarted(): void {
    this.writes.writeStarted();
  }

  writeFinished(): void {
    this.writes.writeFinished();
  }

  /** A flush starts now: what it covers and what the client has been told so far, for `flushFinished`. */
  flushStarted(): number {
    return this.writes.coveredCount * LOSSES_TOLD_APART + (this.lossesTold % LOSSES_TOLD_APART);
  }

  /**
   * `started`: from `flushStarted`. `ok`: what the device said. Returns whether the client may be told so. A flush after one
   * that failed, or beside it, may have found nothing left to write: it counts as failed, and so do all that are under
   * way together with it. `isHeard`: somebody is there to be told.
   */
  flushFinished(started: number, ok: boolean, isHeard = true): boolean {
    const { lossCount } = this.writes;
    const unheard = started % LOSSES_TOLD_APART !== lossCount % LOSSES_TOLD_APART;
    this.lossesTold = lossCount;
    if (isHeard) this.writes.lossesHeard = lossCount;
    if (ok) this.writes.flushSucceeded(Math.floor(started / LOSSES_TOLD_APART));
    return ok && !unheard;
  }
}

/** Both numbers of `flushStarted` in one: no object per flush. So many failures do not happen while one is under way. */
const LOSSES_TOLD_APART = 1024;
