import { availableParallelism } from 'node:os';

/**
 * How long to look for completions before sleeping. A thread that sleeps needs tens of microseconds to be woken
 * (more in a virtual machine whose processor has halted), longer than a client at depth 1 needs for its next request.
 * The limit follows what waits last: it doubles while work comes soon after it, and is zero while work stays away, so
 * that an idle device costs nothing. The rule is that of QEMU's event loop (util/aio-posix.c, poll-max-ns).
 */
export class BusyWait {
  #limitMs = 0;

  get limitMs(): number {
    return this.#limitMs;
  }

  /** A wait that was longer than the limit is over; `waitedMs`: all of it, with the sleep. */
  noteSlept(waitedMs: number): void {
    if (waitedMs > LIMIT_MAX_MS) this.#limitMs = 0;
    else this.#limitMs = Math.min(LIMIT_MAX_MS, Math.max(LIMIT_FIRST_MS, this.#limitMs * 2));
  }
}

const LIMIT_FIRST_MS = 0.008;
/** With one processor, looking would keep the client from running. */
const LIMIT_MAX_MS = availableParallelism() > 1 ? 0.2 : 0;
