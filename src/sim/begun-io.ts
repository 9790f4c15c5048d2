import type { DiskFront } from './disk-front.js';

/** What the kernel does when an I/O is over; `hear` has the thread hear of it, which it does after that. */
export type Linked = (result: number, hear: () => void) => void;

type Linkable = Pick<DiskFront, 'link'>;

/** The I/O that one thread has begun, as its ring counts it. */
export class BegunIo {
  count = 0;
  #front: Linkable | undefined;
  #ticket = 0;

  begin(front: Linkable, ticket: number): void {
    this.count += 1;
    this.#front = front;
    this.#ticket = ticket;
  }

  end(front: Linkable, ticket: number): void {
    if (this.#front === front && this.#ticket === ticket) this.#front = undefined;
  }

  /** To the last one that was begun; false: that is over. */
  link(linked: Linked): boolean {
    this.#front?.link(this.#ticket, linked);
    return this.#front !== undefined;
  }
}
