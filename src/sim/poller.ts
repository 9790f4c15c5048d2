import type { Actor } from './actor.js';
import type { Random } from './random.js';
import type { ClockEvent, SimClock } from './sim-clock.js';

/** Polls a device or a queue soon after it asked for that, in a turn of its thread. */
export class Poller implements ClockEvent {
  atUs = 0;
  order = 0;
  readonly #actor: Actor;
  readonly #clock: SimClock;
  readonly #random: Random;
  readonly #poll: () => boolean;
  #isPending = false;

  constructor(actor: Actor, clock: SimClock, random: Random, poll: () => boolean) {
    this.#actor = actor;
    this.#clock = clock;
    this.#random = random;
    this.#poll = poll;
  }

  want(): void {
    if (this.#isPending) return;
    this.#isPending = true;
    this.#clock.schedule(this, this.#random.below(WAKE_UP_US));
  }

  fire(): void {
    this.#isPending = false;
    this.#actor.run(this.#turn);
  }

  readonly #turn = (): void => {
    if (this.#actor.sink !== undefined && this.#poll()) this.want();
  };
}

/** A thread is awake within this. */
const WAKE_UP_US = 20;
