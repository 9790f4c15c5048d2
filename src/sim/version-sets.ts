/** A set of versions for each logical block; nearly always of one, which costs four bytes. */
export class VersionSets {
  readonly #one: Int32Array;
  readonly #many = new Map<number, readonly number[]>();

  constructor(blockCount: number, version: number) {
    this.#one = new Int32Array(blockCount).fill(version);
  }

  has(block: number, version: number): boolean {
    const one = this.#one[block]!;
    return one === MANY ? this.#many.get(block)!.includes(version) : one === version;
  }

  get(block: number): readonly number[] {
    const one = this.#one[block]!;
    return one === MANY ? this.#many.get(block)! : [one];
  }

  isOne(block: number): boolean {
    return this.#one[block] !== MANY;
  }

  set(block: number, version: number): void {
    if (this.#one[block] === MANY) this.#many.delete(block);
    this.#one[block] = version;
  }

  setAll(block: number, versions: readonly number[]): void {
    if (versions.length === 1) return this.set(block, versions[0]!);
    this.#one[block] = MANY;
    this.#many.set(block, versions);
  }

  add(block: number, version: number): void {
    if (!this.has(block, version)) this.setAll(block, [...this.get(block), version]);
  }

  /** Both say the same of this block. */
  isLike(block: number, other: VersionSets): boolean {
    if (this.isOne(block) !== other.isOne(block)) return false;
    return this.get(block).every((version) => other.has(block, version));
  }

  copyBlock(block: number, from: VersionSets): void {
    if (from.#one[block] === MANY) this.setAll(block, from.get(block));
    else this.set(block, from.#one[block]!);
  }
}

const MANY = -0x7fffffff;
