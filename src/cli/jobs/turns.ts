/** One after the other: what is asked for at the same time finds what the one before has changed. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  run<Value>(act: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(act);
    // Who asked for it hears why it failed.
    this.#last = turn.catch(() => {});
    return turn;
  }
}
