/** Which spares have taken writes that no completed flush has covered yet. */
export class DirtySpares {
  readonly #dirty: Uint8Array;
  readonly #flushesInFlight: Uint16Array;

  constructor(targetCount: number) {
    // What a process before this one wrote may not have been flushed.
    this.#dirty = new Uint8Array(targetCount).fill(1);
    this.#flushesInFlight = new Uint16Array(targetCount);
  }

  /** Call when a write completes: a flush that began before it does not cover it. */
  markDirty(target: number): void {
    this.#dirty[target] = 1;
  }

  /**
   * True if a flush is due; whoever asks must do it and tell `endFlush`. While one is under way another is due, too:
   * nobody may be told that the spare is flushed before it is.
   */
  beginFlush(target: number): boolean {
    if (this.#dirty[target] === 0 && this.#flushesInFlight[target] === 0) return false;
    this.#dirty[target] = 0;
    this.#flushesInFlight[target]! += 1;
    return true;
  }

  /** What a failed flush was to cover is still due. */
  endFlush(target: number, worked: boolean): void {
    this.#flushesInFlight[target]! -= 1;
    if (!worked) this.#dirty[target] = 1;
  }
}
