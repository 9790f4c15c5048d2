import { check } from './check-failure.js';
import type { RunStep } from './history.js';
import type { Machine } from './machine.js';

/** Lets things happen on a machine: some, or until something is so. */
export class Events {
  readonly #machine: Machine;
  readonly #describePending: () => string;

  /** `describePending`: what was asked for and has no answer yet. */
  constructor(machine: Machine, describePending: () => string) {
    this.#machine = machine;
    this.#describePending = describePending;
  }

  fire(events: number): void {
    for (let count = 0; count < events; count += 1) if (!this.#machine.clock.fireNext()) return;
  }

  /** As `fire`, but what is to happen periodically, hours from now, does not come in between. */
  fireSoon(events: number): void {
    const { clock } = this.#machine;
    const endUs = clock.nowUs + SOON_MS * 1000;
    for (let count = 0; count < events && clock.nextAtUs <= endUs; count += 1) clock.fireNext();
  }

  /** So many events happen, perhaps from when metadata is being written. */
  run({ events, fromMetadataWrite }: Pick<RunStep, 'events' | 'fromMetadataWrite'>): void {
    const { disks } = this.#machine;
    const isWriting = (): boolean => disks.some((disk) => disk.metadataWrites.length > 0);
    for (let count = 0; fromMetadataWrite && count < PATIENCE_EVENTS && !isWriting(); count += 1)
      this.fire(1);
    this.fire(events);
  }

  /** As long as somebody is patient. */
  untilSoon(isDone: () => boolean): void {
    for (let tries = 0; !isDone() && tries < PATIENCE_EVENTS; tries += 1) this.fire(1);
  }

  /**
   * Virtual time that anything may take when all devices are there: slow disks and many retries. Time alone says nothing:
   * minutes may pass while a thread is interrupted.
   */
  until(isDone: () => boolean, what: string): void {
    const { clock } = this.#machine;
    const endUs = clock.nowUs + REST_MS * 1000;
    for (let fired = 0; !isDone(); fired += 1) {
      const goesOn = (clock.nowUs < endUs || fired < REST_EVENTS) && clock.fireNext();
      check(goesOn, 'hangs', `${what} has not come to an end: ${this.#describePending()}`);
    }
  }
}

const PATIENCE_EVENTS = 400;
/** Longer than anything waits for a device. */
const SOON_MS = 600_000;
/** Longer than a copying takes with many units that can neither be read nor be remembered as lost (seed 220975: not 15 minutes). */
const REST_MS = 3_600_000;
const REST_EVENTS = 5_000;
