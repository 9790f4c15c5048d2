import { ERRNO } from '../base/errno.js';
import type { ColdContext } from '../engine/cold-context.js';
import { Counter, count } from '../engine/counters.js';
import type { Scheduler } from '../ports/scheduler.js';
import { goneDeviceOf } from './needed-device.js';
import type { Outages } from './outages.js';
import type { RequestSlots } from './request-slots.js';
import { Phase } from './slot-fields.js';

/**
 * Requests that wait for a device which is gone. They hold no lock and no I/O is in flight for them; when the device
 * is back they are begun anew. Their number is bounded by the slots.
 */
export class HeldRequests {
  readonly #parts: HeldParts;
  readonly #waiting = new Map<number, number[]>();
  /** By slot: when its request was held first; holds for requests with `HELD` only. */
  readonly #sinceMs: Float64Array;

  constructor(parts: HeldParts) {
    this.#parts = parts;
    this.#sinceMs = new Float64Array(parts.slots.count);
  }

  countFor(target: number): number {
    return this.#waiting.get(target)?.length ?? 0;
  }

  /** Has nothing in flight and needs this device, which is gone: waits, or fails where nothing waits (any more). */
  turnAway(slot: number, target: number): void {
    if (!this.#parts.outages.mayWaitFor(target) || !this.#mayGoOnWaiting(slot)) return this.#fail(slot);
    this.#parts.slots.phase[slot] = Phase.waiting;
    const waiting = this.#waiting.get(target);
    if (waiting === undefined) this.#waiting.set(target, [slot]);
    else waiting.push(slot);
  }

  /**
   * A request has failed that was begun when there had been `begunBefore` outages. True: it is not to be answered yet,
   * because a device that it needs is gone, or was gone meanwhile and it has been begun anew.
   */
  takesFailed(slot: number, begunBefore: number): boolean {
    const { context, outages, slots } = this.#parts;
    if (!outages.holds || outages.hasEndedWaiting) return false;
    const target = goneDeviceOf(context, slots, slot);
    if (target !== -1) {
      if (!outages.mayWaitFor(target)) return false;
      this.turnAway(slot, target);
      return true;
    }
    if (outages.begunCount === begunBefore || !this.#mayGoOnWaiting(slot)) return false;
    slots.phase[slot] = Phase.waiting;
    this.#parts.begin(slot);
    return true;
  }

  /** The device is back. Answers how many requests go on. */
  resume(target: number): number {
    const waiting = this.#take(target);
    for (const slot of waiting) this.#parts.begin(slot);
    return waiting.length;
  }

  /** The device was gone for too long. Answers how many requests failed. */
  failFor(target: number): number {
    const waiting = this.#take(target);
    for (const slot of waiting) this.#fail(slot);
    return waiting.length;
  }

  /** A device that comes and goes must not keep a request for longer than it may wait. */
  failOverdue(): void {
    for (const [target, waiting] of this.#waiting) {
      const overdue = waiting.filter((slot) => !this.#mayGoOnWaiting(slot));
      if (overdue.length === 0) continue;
      this.#waiting.set(
        target,
        waiting.filter((slot) => !overdue.includes(slot)),
      );
      for (const slot of overdue) this.#fail(slot);
    }
  }

  failAll(): void {
    for (const target of [...this.#waiting.keys()]) this.failFor(target);
  }

  /** Notes when a request begins to wait. */
  #mayGoOnWaiting(slot: number): boolean {
    const { slots, outages, scheduler } = this.#parts;
    const nowMs = scheduler.nowMs();
    if ((slots.flags[slot]! & HELD) === 0) {
      slots.flags[slot]! |= HELD;
      this.#sinceMs[slot] = nowMs;
    }
    return nowMs < this.#sinceMs[slot]! + outages.policy.holdMs;
  }

  #take(target: number): readonly number[] {
    const waiting = this.#waiting.get(target) ?? [];
    this.#waiting.delete(target);
    return waiting;
  }

  #fail(slot: number): void {
    count(this.#parts.context.counters, Counter.requestsFailed);
    this.#parts.answer(slot, ERRNO.EIO);
  }
}

/** In `RequestSlots.flags`, beside the frontend's, until the request is answered. */
const HELD = 0x80;

export interface HeldParts {
  readonly context: ColdContext;
  readonly outages: Outages;
  readonly slots: RequestSlots;
  readonly scheduler: Scheduler;
  /** Begins a request that has nothing in flight, from the start. */
  readonly begin: (slot: number) => void;
  readonly answer: (slot: number, errno: number) => void;
}
