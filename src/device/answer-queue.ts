import { assert } from '../base/assert.js';
import type { RequestSlots } from './request-slots.js';

/**
 * Answers that are known without waiting for a device. They are delivered in the next turn, because a frontend must
 * never be answered inside its own call.
 */
export class AnswerQueue {
  readonly #slots: RequestSlots;
  readonly #wantPoll: () => void;
  readonly #slot: Uint16Array;
  readonly #errno: Uint16Array;
  #first = 0;
  #count = 0;

  constructor(slots: RequestSlots, wantPoll: () => void) {
    this.#slots = slots;
    this.#wantPoll = wantPoll;
    this.#slot = new Uint16Array(slots.count);
    this.#errno = new Uint16Array(slots.count);
  }

  push(slot: number, errno: number): void {
    assert(this.#count < this.#slots.count, 'at most one answer per slot');
    const at = (this.#first + this.#count) % this.#slots.count;
    this.#slot[at] = slot;
    this.#errno[at] = errno;
    this.#count += 1;
    this.#wantPoll();
  }

  /** Delivers what was there when called; true if more came meanwhile. */
  deliver(): boolean {
    for (let rest = this.#count; rest > 0; rest -= 1) {
      const at = this.#first;
      this.#first = (this.#first + 1) % this.#slots.count;
      this.#count -= 1;
      this.#slots.finish(this.#slot[at]!, this.#errno[at]!);
    }
    return this.#count > 0;
  }
}
