import { assert } from '../base/assert.js';
import type { GonePolicy } from './gone-policy.js';

/** Which devices are gone, since when, and whether requests wait for them. Pure state: the time is handed in. */
export class Outages {
  #policy: GonePolicy;
  /** Some device is gone that requests must not be sent to. The hot path looks at it. */
  anyShut = false;
  /** Outages so far, and what made one worse. */
  begunCount = 0;
  readonly #outages: Array<Outage | undefined>;
  #waitingIsOver = false;

  constructor(targetCount: number, policy: GonePolicy) {
    this.#outages = new Array<Outage | undefined>(targetCount).fill(undefined);
    this.#policy = policy;
  }

  get policy(): GonePolicy {
    return this.#policy;
  }

  /** From now on; a device that has been gone for less than the new time is waited for again. */
  setPolicy(policy: GonePolicy, nowMs: number): void {
    this.#policy = policy;
    this.anyShut = this.holds && this.gone().length > 0;
    for (const outage of this.#outages)
      if (outage?.hasExpired) outage.hasExpired = this.holds && nowMs >= outage.sinceMs + policy.holdMs;
  }

  /**
   * False if it was gone already: then it has got worse, and is waited for as long again. `sinceSeconds`: wall clock.
   */
  begin(target: number, reason: string, nowMs: number, sinceSeconds: number): boolean {
    const before = this.#outages[target];
    const since = { sinceMs: nowMs, sinceSeconds: before?.sinceSeconds ?? sinceSeconds };
    this.#outages[target] = { reason, ...since, hasExpired: false };
    this.begunCount += 1;
    this.anyShut = this.holds;
    return before === undefined;
  }

  end(target: number): void {
    assert(this.isGone(target), `target ${target} was gone`);
    this.#outages[target] = undefined;
    this.anyShut = this.holds && this.gone().length > 0;
  }

  isGone(target: number): boolean {
    return this.#outages[target] !== undefined;
  }

  /** Requests that need it wait or fail without being tried. Where nothing ever waits they are tried, and fail. */
  isShut(target: number): boolean {
    return this.holds && this.isGone(target);
  }

  /** It is gone, and requests may wait for it. */
  mayWaitFor(target: number): boolean {
    const outage = this.#outages[target];
    return outage !== undefined && this.holds && !this.#waitingIsOver && !outage.hasExpired;
  }

  /** Requests may wait at all. */
  get holds(): boolean {
    return this.policy.holdMs > 0;
  }

  /** From now on nothing waits any more. */
  endWaiting(): void {
    this.#waitingIsOver = true;
  }

  get hasEndedWaiting(): boolean {
    return this.#waitingIsOver;
  }

  /** Targets that have been gone for too long since the last call: what waits for them is to fail. */
  takeExpired(nowMs: number): readonly number[] {
    const expired = this.gone().filter((target) => {
      const { sinceMs, hasExpired } = this.#outages[target]!;
      return this.holds && !hasExpired && nowMs >= sinceMs + this.policy.holdMs;
    });
    for (const target of expired) this.#outages[target]!.hasExpired = true;
    return expired;
  }

  /** Until `takeExpired` has something to say, at the soonest. */
  msToNextExpiry(nowMs: number): number {
    let soonestMs = Number.POSITIVE_INFINITY;
    if (!this.holds) return soonestMs;
    for (const outage of this.#outages) {
      if (outage === undefined || outage.hasExpired) continue;
      soonestMs = Math.min(soonestMs, Math.max(0, outage.sinceMs + this.policy.holdMs - nowMs));
    }
    return soonestMs;
  }

  gone(): readonly number[] {
    return [...this.#outages.keys()].filter((target) => this.isGone(target));
  }

  of(target: number): Readonly<Outage> | undefined {
    return this.#outages[target];
  }
}

export interface Outage {
  readonly reason: string;
  readonly sinceMs: number;
  /** Seconds since 1970. */
  readonly sinceSeconds: number;
  /** It took longer than requests wait. */
  hasExpired: boolean;
}
