/** How fast work goes, while it is at it. */
export class Pace {
  readonly #nowMs: () => number;
  #earlierMs = 0;
  #sinceMs: number | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  run(): void {
    this.#sinceMs ??= this.#nowMs();
  }

  rest(): void {
    this.#earlierMs = this.#elapsedMs;
    this.#sinceMs = undefined;
  }

  /** Of work that has come so far since the first `run`. */
  of(
    done: number,
    total: number,
  ): { readonly perSecond: number | null; readonly secondsLeft: number | null } {
    const perSecond = (1000 * done) / Math.max(1, this.#elapsedMs);
    if (perSecond === 0) return { perSecond: null, secondsLeft: null };
    return { perSecond, secondsLeft: Math.ceil((total - done) / perSecond) };
  }

  get #elapsedMs(): number {
    return this.#earlierMs + (this.#sinceMs === undefined ? 0 : this.#nowMs() - this.#sinceMs);
  }
}
