import { check } from './check-failure.js';
import type { SuperblockOnDisk } from './metadata-reader.js';

/** Counters and the number of starts never go back: a crash loses only what was counted since they were written. */
export class GrowingNumbers {
  #openCount = 0;
  #counters: readonly number[] = [];

  /** `isUncertain`: this superblock may be lost with the next power cut, whatever was acknowledged. */
  check({ openCount, counters }: SuperblockOnDisk, isUncertain: boolean): void {
    check(openCount >= this.#openCount, 'counters', `opened ${openCount} times, before ${this.#openCount}`);
    for (const [index, before] of this.#counters.entries()) {
      const now = counters[index] ?? 0;
      check(now >= before, 'counters', `counter ${index} has gone back from ${before} to ${now}`);
    }
    if (isUncertain) return;
    this.#openCount = openCount;
    this.#counters = counters;
  }

  /** The set was written anew from a dump, which does not carry them. */
  forget(): void {
    this.#openCount = 0;
    this.#counters = [];
  }
}
