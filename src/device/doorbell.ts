/**
 * Wakes a thread that may be asleep, once for however much there is to see. The word, in shared memory, says that the
 * thread wants to be woken; it begins so.
 *
 * Nothing is missed: whoever rings has made his news visible before, and the thread looks for news once more after
 * `mayBeRung`. All of that is atomic, hence in one order: either the ring comes after that and wakes, or the news came
 * before it and the last look finds them. (An awake thread may be woken once too often, between that and its next
 * `needNotBeRung`.)
 */
export class Doorbell {
  readonly #word: Int32Array;
  readonly #wake: () => void;

  /** For those who ring. `wake`: how to reach the thread. */
  constructor(word: Int32Array, wake: () => void) {
    this.#word = word;
    this.#wake = wake;
  }

  /** There is something to see. */
  ring(): void {
    if (Atomics.load(this.#word, 0) === NEEDED && Atomics.exchange(this.#word, 0, NEEDLESS) === NEEDED)
      this.#wake();
  }
}

/** For the thread behind the door: it looks at everything from here on. */
export function needNotBeRung(word: Int32Array): void {
  Atomics.store(word, 0, NEEDLESS);
}

/** For the thread behind the door: it may fall asleep after one more look. */
export function mayBeRung(word: Int32Array): void {
  Atomics.store(word, 0, NEEDED);
}

const NEEDED = 0;
const NEEDLESS = 1;
