/**
 * One flush of a disk at a time; who asks while one is under way shares the next. A flush may only be believed when all
 * that began before it have been heard of: one that failed may have dropped what a later one then finds nothing left to
 * write of. Flushes that are in the kernel together are done by several of its threads (io-wq), and end in any order.
 */
export class FlushTurns {
  readonly #send: SendFlush;
  /** By target that is being flushed: who has asked since. */
  readonly #waiting = new Map<number, FlushAnswer[]>();

  constructor(send: SendFlush) {
    this.#send = send;
  }

  flush(target: number, answer: FlushAnswer): void {
    const waiting = this.#waiting.get(target);
    if (waiting === undefined) this.#flushFor(target, [answer]);
    else waiting.push(answer);
  }

  #flushFor(target: number, answers: readonly FlushAnswer[]): void {
    const waiting: FlushAnswer[] = [];
    this.#waiting.set(target, waiting);
    this.#send(target, (result) => {
      // Before anybody is answered, who may ask again: that is for the turn after.
      if (waiting.length > 0) this.#flushFor(target, waiting);
      else this.#waiting.delete(target);
      for (const answer of answers) answer(result);
    });
  }
}

type FlushAnswer = (result: number) => void;
type SendFlush = (target: number, ended: FlushAnswer) => void;
