import { assert } from '../base/assert.js';

/** Tickets for the parts of requests that are more than one I/O: which slot and which target each belongs to. */
export class BackendRuns {
  readonly #firstTicket: number;
  readonly #slot: Uint16Array;
  readonly #target: Uint8Array;
  readonly #free: Uint16Array;
  #freeCount: number;

  constructor(firstTicket: number, count: number) {
    this.#firstTicket = firstTicket;
    this.#slot = new Uint16Array(count);
    this.#target = new Uint8Array(count);
    this.#free = Uint16Array.from({ length: count }, (_, index) => count - 1 - index);
    this.#freeCount = count;
  }

  get freeCount(): number {
    return this.#freeCount;
  }

  /** A ticket for one run; the caller has made sure that one is free. */
  take(slot: number, target: number): number {
    assert(this.#freeCount > 0, 'a run is free');
    this.#freeCount -= 1;
    const index = this.#free[this.#freeCount]!;
    this.#slot[index] = slot;
    this.#target[index] = target;
    return this.#firstTicket + index;
  }

  slotOf(ticket: number): number {
    return this.#slot[ticket - this.#firstTicket]!;
  }

  targetOf(ticket: number): number {
    return this.#target[ticket - this.#firstTicket]!;
  }

  free(ticket: number): void {
    this.#free[this.#freeCount] = ticket - this.#firstTicket;
    this.#freeCount += 1;
  }
}
