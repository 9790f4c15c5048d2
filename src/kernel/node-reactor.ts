import { assert } from '../base/assert.js';
import type { Poller, Reactor } from './reactor-interface.js';

/** The `Reactor` of a thread whose loop is Node's own. A turn takes place only after `kick`. */
export class NodeReactor implements Reactor {
  private pollers: readonly Poller[] = [];
  private readonly timeouts = new Set<NodeJS.Timeout>();
  private turnPlanned: NodeJS.Immediate | undefined;
  private closed = false;

  addPoller(poller: Poller): void {
    this.pollers = [...this.pollers, poller];
    this.kick();
  }

  removePoller(poller: Poller): void {
    assert(this.pollers.includes(poller), 'removes a poller that was not added');
    this.pollers = this.pollers.filter((other) => other !== poller);
  }

  kick(): void {
    if (this.turnPlanned !== undefined || this.closed) return;
    this.turnPlanned = setImmediate(this.turn);
  }

  nowMs(): number {
    return performance.now();
  }

  wallClockSeconds(): number {
    return Math.floor(Date.now() / 1000);
  }

  after(delayMs: number, task: () => void): void {
    assert(delayMs >= 0, `not a delay: ${delayMs}`);
    if (!this.closed) this.waitUntil(this.nowMs() + delayMs, task);
  }

  /** Drops all timers and turns, so that the process may end. */
  close(): void {
    this.closed = true;
    for (const timeout of this.timeouts) clearTimeout(timeout);
    this.timeouts.clear();
    clearImmediate(this.turnPlanned);
    this.turnPlanned = undefined;
  }

  private readonly turn = (): void => {
    this.turnPlanned = undefined;
    let pending = false;
    for (const poller of this.pollers) {
      if (poller.poll()) pending = true;
    }
    if (pending) this.kick();
  };

  /** In steps: a node timer holds 31 bits of milliseconds, and may fire a little early. */
  private waitUntil(dueMs: number, task: () => void): void {
    const restMs = Math.max(0, Math.ceil(dueMs - this.nowMs()));
    const timeout = setTimeout(
      () => {
        this.timeouts.delete(timeout);
        if (this.nowMs() < dueMs) this.waitUntil(dueMs, task);
        else task();
      },
      Math.min(restMs, NODE_TIMER_MAX_MS),
    );
    this.timeouts.add(timeout);
  }
}

const NODE_TIMER_MAX_MS = 2 ** 31 - 1;
