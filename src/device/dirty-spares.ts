/** Which spares have taken writes that no flush has covered yet. */
export class DirtySpares {
  readonly #dirty: Uint8Array;

  constructor(targetCount: number) {
    this.#dirty = new Uint8Array(targetCount);
  }

  /** Call when a write completes: a flush that began before it does not cover it. */
  markDirty(target: number): void {
    this.#dirty[target] = 1;
  }

  /** True if a flush is due; whoever asks must do it, or mark it dirty again. */
  takeDirty(target: number): boolean {
    const dirty = this.#dirty[target] === 1;
    this.#dirty[target] = 0;
    return dirty;
  }
}
