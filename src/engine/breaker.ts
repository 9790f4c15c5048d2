/**
 * Tells a dead device from a bad sector (P7). While it is open no I/O is sent to the main device and no spare is
 * used up. Pure: the time is handed in, probes are done by `probe.ts`.
 *
 * - An error of class `device` opens it at once.
 * - An ambiguous error needs a proof of life: a read elsewhere on the device that succeeds (valid for a moment).
 * - A streak of failures without any success in between needs one too, of the same kind: a drive that has gone
 *   read-only answers reads happily and fails every write with a medium error.
 */
export class Breaker {
  #openedReason: string | undefined;
  #nextTrialAtMs = 0;
  #aliveUntilMs = Number.NEGATIVE_INFINITY;
  /** Failed units in a row; set to 0 by the hot path when an I/O of that kind succeeds on the main device. */
  readFailureStreak = 0;
  writeFailureStreak = 0;

  get isOpen(): boolean {
    return this.#openedReason !== undefined;
  }

  get reason(): string | undefined {
    return this.#openedReason;
  }

  /**
   * Counts a failed unit; true if the device must prove that it is alive before anything is concluded. An earlier
   * proof does not do where blocks would be declared lost: the device may have vanished since.
   */
  needsProof(ambiguous: boolean, operation: 'read' | 'write', nowMs: number, declaresLoss = false): boolean {
    if (operation === 'read') this.readFailureStreak += 1;
    else this.writeFailureStreak += 1;
    return this.isWave(operation) || (ambiguous && (declaresLoss || nowMs >= this.#aliveUntilMs));
  }

  /** So many units failed in a row that bad sectors alone are no explanation. */
  isWave(operation: 'read' | 'write'): boolean {
    const streak = operation === 'read' ? this.readFailureStreak : this.writeFailureStreak;
    return streak >= FAILURE_WAVE_UNITS;
  }

  noteAlive(operation: 'read' | 'write', nowMs: number): void {
    this.#aliveUntilMs = nowMs + PROOF_VALID_MS;
    if (operation === 'read') this.readFailureStreak = 0;
    else this.writeFailureStreak = 0;
  }

  trip(reason: string, nowMs: number): void {
    this.#openedReason = reason;
    this.#nextTrialAtMs = nowMs + TRIAL_PAUSE_MS;
  }

  /** True once per pause while open: the caller probes and, if the device answers, calls `close`. */
  takeTrial(nowMs: number): boolean {
    if (!this.isOpen || nowMs < this.#nextTrialAtMs) return false;
    this.#nextTrialAtMs = nowMs + TRIAL_PAUSE_MS;
    return true;
  }

  close(nowMs: number): void {
    this.#openedReason = undefined;
    this.noteAlive('read', nowMs);
    this.noteAlive('write', nowMs);
  }
}

/** Units that fail in a row before the device has to prove itself: 64 units of 4 KiB are one bad track or two. */
const FAILURE_WAVE_UNITS = 64;
/** A successful probe speaks for this long. */
const PROOF_VALID_MS = 500;
/** Pause between attempts to reach a device that was given up. */
const TRIAL_PAUSE_MS = 2000;
