import { assert } from '../base/assert.js';
import { TARGET_COUNT } from '../engine/effect.js';

/**
 * One flush of a disk at a time; who asks while one is under way shares the next. A flush may only be believed when all
 * that began before it have been heard of: one that failed may have dropped what a later one then finds nothing left to
 * write of. Flushes that are in the kernel together are done by several of its threads (io-wq), and end in any order.
 *
 * Who asks is known by a ticket, which asks for one flush at a time. Nothing is allocated for it.
 */
export class FlushTurns {
  readonly #send: (target: number) => void;
  readonly #answer: FlushAnswer;
  /** By ticket: the one behind it in its list; `NOBODY` at the end. */
  readonly #next: Int32Array;
  /** By target: whom the flush under way is for. */
  readonly #served = new Int32Array(TARGET_COUNT).fill(NOBODY);
  /** By target: who has asked since, first and last. */
  readonly #waiting = new Int32Array(TARGET_COUNT).fill(NOBODY);
  readonly #lastWaiting = new Int32Array(TARGET_COUNT).fill(NOBODY);

  /** Tickets are below `ticketCount`. `send` begins a flush, of which `ended` is called later. */
  constructor(ticketCount: number, send: (target: number) => void, answer: FlushAnswer) {
    this.#next = new Int32Array(ticketCount).fill(NOBODY);
    this.#send = send;
    this.#answer = answer;
  }

  flush(target: number, ticket: number): void {
    this.#next[ticket] = NOBODY;
    if (this.#served[target] === NOBODY) {
      this.#served[target] = ticket;
      this.#send(target);
    } else if (this.#waiting[target] === NOBODY) {
      this.#waiting[target] = ticket;
      this.#lastWaiting[target] = ticket;
    } else {
      this.#next[this.#lastWaiting[target]!] = ticket;
      this.#lastWaiting[target] = ticket;
    }
  }

  /** The flush under way: 0 or a negative errno. */
  ended(target: number, result: number): void {
    let ticket = this.#served[target]!;
    assert(ticket !== NOBODY, 'the end of a flush that nobody asked for');
    // Before anybody is answered, who may ask again: that is for the turn after.
    this.#served[target] = this.#waiting[target]!;
    this.#waiting[target] = NOBODY;
    if (this.#served[target] !== NOBODY) this.#send(target);
    while (ticket !== NOBODY) {
      // An answered ticket may be another's at once.
      const next = this.#next[ticket]!;
      this.#answer(ticket, result);
      ticket = next;
    }
  }
}

const NOBODY = -1;

type FlushAnswer = (ticket: number, result: number) => void;
