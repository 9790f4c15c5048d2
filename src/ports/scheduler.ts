/**
 * Time and deferred work, handed to whoever needs it. Production: the ring's reactor or Node's event loop;
 * simulator: a virtual clock. Cold path only: it allocates.
 */
export interface Scheduler {
  /** Milliseconds of a clock that never goes back; only differences mean anything. */
  nowMs(): number;
  /** Wall clock in seconds since 1970, for time stamps that people read. */
  wallClockSeconds(): number;
  /** Runs `task` once, not before `delayMs` (>= 0) from now and never inside this call. */
  after(delayMs: number, task: () => void): void;
}
