/**
 * The generator of the simulator (sfc32): every choice of a run comes from one seed, so a seed says the whole run.
 * Ratios are whole numbers, because sums of fractions differ in their last bits.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  /** `stream`: one of several independent sequences of the same seed. */
  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 0x1_0000_0000) | 0;
    this.#c = Math.imul(stream + 1, 0x9e3779b1);
    this.#counter = 1;
    for (let round = 0; round < 12; round += 1) this.next();
  }

  /** Where it is; set, it goes on from there again. */
  get state(): readonly [number, number, number, number] {
    return [this.#a, this.#b, this.#c, this.#counter];
  }

  set state([a, b, c, counter]: readonly [number, number, number, number]) {
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#counter = counter;
  }

  /** From 0 to 2^32 - 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  /** From 0 to `limit` - 1. */
  below(limit: number): number {
    return this.next() % limit;
  }

  /** True in `times` of `of` cases. */
  chance(times: number, of: number): boolean {
    return this.next() % of < times;
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.next() % values.length]!;
  }
}
