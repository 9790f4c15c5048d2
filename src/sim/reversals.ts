/** By block: the versions that a disk went back to because it forgot what was not flushed, and from which ones. */
export class Reversals {
  readonly #byBlock = new Map<number, readonly Reversal[]>();

  has(block: number): boolean {
    return this.#byBlock.has(block);
  }

  of(block: number): readonly Reversal[] {
    return this.#byBlock.get(block) ?? [];
  }

  /** The block has gone back to this version, from whichever. */
  ledTo(block: number, version: number): boolean {
    return this.of(block).some(({ to }) => to === version);
  }

  add(block: number, { from, to }: Reversal): void {
    this.#byBlock.set(block, [...this.of(block), { from, to }]);
  }

  /** Forgets the others of this block. */
  keep(block: number, isToStay: (reversal: Reversal) => boolean): void {
    const left = this.of(block).filter(isToStay);
    if (left.length > 0) this.#byBlock.set(block, left);
    else this.#byBlock.delete(block);
  }

  clear(): void {
    this.#byBlock.clear();
  }
}

/** Versions of a block: what it held, and what a disk went back to. */
export interface Reversal {
  readonly from: number;
  readonly to: number;
}
