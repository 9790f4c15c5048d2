import { Actor } from '../actor.js';
import type { ClientDevice } from '../client.js';
import type { Random } from '../random.js';
import type { SimClock } from '../sim-clock.js';
import { DriverQueue } from './driver-queue.js';

/** /dev/ublkbN: its clients see nothing of the processes behind it. */
export class BlockDevice {
  readonly queues: readonly DriverQueue[];
  /** Left by a process that handed it over (src/library/ublk-properties.ts). */
  hasUntoldFailure = false;
  /** The kernel's side. */
  readonly #actor: Actor;

  constructor(clock: SimClock, random: Random, queueCount: number) {
    this.queues = Array.from({ length: queueCount }, () => new DriverQueue(clock, random));
    this.#actor = new Actor(clock);
  }

  /** With a process behind it and without. */
  served(): readonly { readonly device: ClientDevice; readonly actor: Actor }[] {
    return this.queues.map((device) => ({ device, actor: this.#actor }));
  }

  release(): void {
    for (const queue of this.queues) queue.release();
  }

  kill(): void {
    for (const queue of this.queues) queue.kill();
  }

  forget(): void {
    this.hasUntoldFailure = false;
    for (const queue of this.queues) queue.forget();
  }
}
