import { availableParallelism } from 'node:os';

/**
 * How long to look for completions before sleeping. A thread that sleeps needs tens of microseconds to be woken
 * (more in a virtual machine whose processor has halted), longer than a client at depth 1 needs for its next request.
 * The limit follows what waits last: it doubles while work comes soon after it, and is zero while work stays away, so
 * that an idle device costs nothing. The rule is that of QEMU's event loop (util/aio-posix.c, poll-max-ns).
 *
 * Where looking itself is slow, as on an emulated machine, so is the client: "soon" is longer there.
 */
export class BusyWait {
  #limitMs = 0;
  #limitMaxMs = SLOW_LIMIT_MAX_MS;
  readonly #canLook: boolean;

  /** With one processor, looking would keep the client from running. */
  constructor(processorCount = availableParallelism()) {
    this.#canLook = processorCount > 1;
  }

  get limitMs(): number {
    return this.#limitMs;
  }

  /** Nothing was there at so many looks one after the other. */
  noteLooked(lookCount: number, lookedMs: number): void {
    const looksMs = (LIMIT_LOOKS * lookedMs) / lookCount;
    this.#limitMaxMs = Math.min(SLOW_LIMIT_MAX_MS, Math.max(LIMIT_MAX_MS, looksMs));
  }

  /** A wait that was longer than the limit is over; `waitedMs`: all of it, with the sleep. */
  noteSlept(waitedMs: number): void {
    const isSoon = this.#canLook && waitedMs <= this.#limitMaxMs;
    this.#limitMs = isSoon ? Math.min(this.#limitMaxMs, Math.max(LIMIT_FIRST_MS, this.#limitMs * 2)) : 0;
  }
}

const LIMIT_FIRST_MS = 0.008;
const LIMIT_MAX_MS = 0.2;
const SLOW_LIMIT_MAX_MS = 1;
/** A look took 0.1 us on an AMD EPYC, and 1.3 us on the same one emulated by QEMU. */
const LIMIT_LOOKS = 1000;
