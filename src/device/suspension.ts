import type { UnitLocks } from './unit-locks.js';

/**
 * Holds every new request of a device, on all its threads, as `dmsetup suspend` does: a lock of all units at once, which
 * is granted when no I/O of theirs is in flight. One that has met a bad sector and not yet begun to move it is held as well;
 * it is not answered meanwhile. Requests without units (flushes) go on; they change nothing.
 */
export class Suspension {
  readonly #locks: UnitLocks;
  readonly #lastUnit: number;
  readonly #released: () => void;
  #state: State = { kind: 'active' };

  /** `released`: starts again what ran into the lock. */
  constructor(locks: UnitLocks, lastUnit: number, released: () => void) {
    this.#locks = locks;
    this.#lastUnit = lastUnit;
    this.#released = released;
  }

  /** From the moment it was asked for. */
  get isOn(): boolean {
    return this.#state.kind !== 'active';
  }

  /** `done` hears when nothing is in flight any more: true; or that `end` came first: false. */
  begin(done: (isSuspended: boolean) => void): void {
    const state = this.#state;
    if (state.kind === 'suspended') return done(true);
    if (state.kind === 'waiting') return void state.listeners.push(done);
    const waiting: Waiting = { kind: 'waiting', listeners: [done] };
    this.#state = waiting;
    const lockId = this.#locks.lock(0, this.#lastUnit, (id) => this.#granted(waiting, id));
    if (lockId !== undefined) this.#granted(waiting, lockId);
  }

  /** Lets the requests go. False: there was nothing to end. */
  end(): boolean {
    const state = this.#state;
    if (state.kind === 'active') return false;
    this.#state = { kind: 'active' };
    if (state.kind === 'suspended') this.#release(state.lockId);
    else for (const listener of state.listeners) listener(false);
    return true;
  }

  #granted(waiting: Waiting, lockId: number): void {
    // Ended while it waited: the lock is not wanted any more.
    if (this.#state !== waiting) return this.#release(lockId);
    this.#state = { kind: 'suspended', lockId };
    for (const listener of waiting.listeners) listener(true);
  }

  #release(lockId: number): void {
    this.#locks.unlock(lockId);
    this.#released();
  }
}

type State = { readonly kind: 'active' } | Waiting | { readonly kind: 'suspended'; readonly lockId: number };

interface Waiting {
  readonly kind: 'waiting';
  readonly listeners: Array<(isSuspended: boolean) => void>;
}
