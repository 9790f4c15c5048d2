import { assert } from '../base/assert.js';
import { type Counters, newCounters } from '../engine/counters.js';
import { mayBeRung, needNotBeRung } from './doorbell.js';
import { type ForwardTarget, QueueLink } from './queue-link.js';
import type { SharedWords } from './shared-words.js';
import { Phase } from './slot-fields.js';
import type { UnitLocks } from './unit-locks.js';

/** All queues of a device that other threads serve, as its owner sees them. */
export class QueueLinks {
  readonly #owner: ForwardTarget;
  readonly #locks: UnitLocks;
  readonly #bell: Int32Array;
  #links: readonly QueueLink[] = [];
  /** A forwarded request waits for a slot. */
  #isStarved = false;

  constructor(owner: ForwardTarget, locks: UnitLocks, words: SharedWords) {
    this.#owner = owner;
    this.#locks = locks;
    this.#bell = words.ownerBell;
  }

  get count(): number {
    return this.#links.length;
  }

  /** No queue has a request in hand: neither in flight on its own thread, nor forwarded. */
  get areAtRest(): boolean {
    return this.#links.every(isAtRest);
  }

  get isStarved(): boolean {
    return this.#isStarved;
  }

  /** `wake`: wakes the thread of the queue. */
  add(wake: () => void): QueueLink {
    const link = new QueueLink(this.#owner, wake);
    this.#locks.addQueue(link.slots);
    this.#links = [...this.#links, link];
    return link;
  }

  /** When the thread of the queue has ended, with all its requests answered. */
  remove(link: QueueLink): void {
    assert(this.#links.includes(link), 'a queue of this device');
    assert(isAtRest(link), 'a queue ends idle');
    this.#locks.removeQueue(link.slots);
    this.#links = this.#links.filter((other) => other !== link);
  }

  /** Takes what came from the queues; true if there is more at once. Call last in a turn: the owner may sleep then. */
  poll(): boolean {
    needNotBeRung(this.#bell);
    this.#isStarved = false;
    for (const link of this.#links) if (!link.startForwarded()) this.#isStarved = true;
    mayBeRung(this.#bell);
    if (this.#locks.hasWaiting) this.#locks.grantQuiet();
    return !this.#isStarved && this.#links.some((link) => link.hasForwarded);
  }

  /** The owner's counters and those of all queues. */
  totalCounters(own: Counters): Counters {
    const total = newCounters();
    for (const counters of [own, ...this.#links.map((link) => link.memory.counters)]) addTo(total, counters);
    return total;
  }
}

function isAtRest({ isIdle, slots }: QueueLink): boolean {
  return isIdle && slots.phase.every((phase) => phase === Phase.free);
}

export function addTo(total: Counters, counters: Counters): void {
  for (let index = 0; index < total.length; index += 1) total[index]! += counters[index]!;
}
