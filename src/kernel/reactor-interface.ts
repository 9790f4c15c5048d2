import type { Scheduler } from '../ports/scheduler.js';

/**
 * One thread's loop of I/O, seen from the things that live on it. Two implementations: `UringReactor` (sits in
 * io_uring_enter) and `NodeReactor` (Node's event loop).
 */
export interface Reactor extends Scheduler {
  /** Calls `poller` once per turn from now on, in the order of adding. */
  addPoller(poller: Poller): void;
  /** No call after the current turn. Removing one that is not there is a bug. */
  removePoller(poller: Poller): void;
  /**
   * Makes sure that all pollers run soon: the loop does not block before they did. Whoever gives a poller something
   * to do calls this, because that poller's place in the current turn may be over. Cheap, at most a flag.
   */
  kick(): void;
}

/** Work that finishes without the kernel telling: inline completions, batched sends. */
export interface Poller {
  /** Delivers what is pending. True: more is pending for the next turn, so the loop must not block. */
  poll(): boolean;
}
