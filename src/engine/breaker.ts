import { assert } from '../base/assert.js';

/**
 * Tells a dead device from a bad sector (P7). While it is open no write is sent to the main device, and no read either
 * unless the device still gives what it holds; no spare is used up for what it refuses. Pure: the time is handed in, probes
 * are done by `probe.ts`.
 *
 * - An error of class `device` opens it at once.
 * - An ambiguous error needs a proof of life: I/O elsewhere on the device that succeeds. It must be made after the error,
 *   because the device may have vanished since the last one.
 * - A streak of failures without any success in between needs one too, of the same kind: a drive that has gone
 *   read-only answers reads happily and fails every write with a medium error.
 *
 * One thread decides, with all of these methods. Others see and say through the words: `isOpen`, `stopsReads` and `noteSuccess`.
 */
export class Breaker {
  /** In shared memory where there are other threads. Loaded plainly: a moment late does no harm. */
  readonly #words: Int32Array;
  #openedReason: string | undefined;
  #nextTrialAtMs = 0;
  /** Somebody is rewriting blocks for a proof of life, and locks them. */
  isBeingProved = false;

  constructor(words: Int32Array = new Int32Array(BREAKER_WORD_COUNT)) {
    assert(words.length === BREAKER_WORD_COUNT, 'words of a breaker');
    this.#words = words;
  }

  /** Writes are stopped. */
  get isOpen(): boolean {
    return this.#words[Word.stopped] !== Stopped.nothing;
  }

  get stopsReads(): boolean {
    return this.#words[Word.stopped] === Stopped.everything;
  }

  /** For the hot path: an I/O of this kind succeeded on the main device, so the row of failures is over. */
  noteSuccess(operation: 'read' | 'write'): void {
    const streak = streakWord(operation);
    if (this.#words[streak] !== 0) Atomics.store(this.#words, streak, 0);
  }

  get reason(): string | undefined {
    return this.#openedReason;
  }

  /** Counts a failed unit; true if the device must prove that it is alive before anything is concluded. */
  needsProof(ambiguous: boolean, operation: 'read' | 'write'): boolean {
    Atomics.add(this.#words, streakWord(operation), 1);
    return ambiguous || this.isWave(operation);
  }

  /** So many units failed in a row that bad sectors alone are no explanation. */
  isWave(operation: 'read' | 'write'): boolean {
    return this.#words[streakWord(operation)]! >= FAILURE_WAVE_UNITS;
  }

  trip(reason: string, nowMs: number, readsPass: boolean): void {
    this.#openedReason = reason;
    Atomics.store(this.#words, Word.stopped, readsPass ? Stopped.writes : Stopped.everything);
    this.#nextTrialAtMs = nowMs + TRIAL_PAUSE_MS;
  }

  /** While open: the device reads again. */
  letReadsPass(): void {
    assert(this.isOpen, 'a closed breaker lets everything pass');
    Atomics.store(this.#words, Word.stopped, Stopped.writes);
    this.noteSuccess('read');
  }

  /** True once per pause while open: the caller probes and, if the device answers, calls `close`. */
  takeTrial(nowMs: number): boolean {
    if (!this.isOpen || nowMs < this.#nextTrialAtMs) return false;
    this.#nextTrialAtMs = nowMs + TRIAL_PAUSE_MS;
    return true;
  }

  close(): void {
    this.#openedReason = undefined;
    Atomics.store(this.#words, Word.stopped, Stopped.nothing);
    this.noteSuccess('read');
    this.noteSuccess('write');
  }
}

/** The streaks count failed units in a row. */
const Word = { stopped: 0, readFailureStreak: 1, writeFailureStreak: 2 } as const;
export const BREAKER_WORD_COUNT = 3;
const Stopped = { nothing: 0, everything: 1, writes: 2 } as const;

function streakWord(operation: 'read' | 'write'): number {
  return operation === 'read' ? Word.readFailureStreak : Word.writeFailureStreak;
}

/** Units that fail in a row before the device has to prove itself: 64 units of 4 KiB are one bad track or two. */
const FAILURE_WAVE_UNITS = 64;
/** Pause between attempts to reach a device that was given up. */
const TRIAL_PAUSE_MS = 2000;
