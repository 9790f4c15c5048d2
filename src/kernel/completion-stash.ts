import { CQE_WORDS } from './uring-abi.js';

/** Completions that had to leave the queue inside `Ring.submit`, where no handler may be called: rare. */
export class CompletionStash {
  count = 0;
  private entries = new Int32Array(0);

  /** Keeps the entry of the queue that begins at word `base`. */
  keep(words: Int32Array, base: number): void {
    if ((this.count + 1) * CQE_WORDS > this.entries.length) this.grow();
    this.entries.set(words.subarray(base, base + CQE_WORDS), this.count * CQE_WORDS);
    this.count += 1;
  }

  /** All that are there, entry after entry, in the order in which they were kept. */
  take(): Int32Array {
    const taken = this.entries.subarray(0, this.count * CQE_WORDS);
    this.entries = new Int32Array(0);
    this.count = 0;
    return taken;
  }

  private grow(): void {
    const larger = new Int32Array(Math.max(this.entries.length * 2, FIRST_ENTRIES * CQE_WORDS));
    larger.set(this.entries);
    this.entries = larger;
  }
}

const FIRST_ENTRIES = 256;
