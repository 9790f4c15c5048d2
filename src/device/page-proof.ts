/**
 * Which copies of a page have taken its last update, and which its last two: such a copy shows a start that no newer version
 * is missing, because both its slots can be judged (`mayBeOutdated` of `page-choice.ts`). An update that a copy missed may
 * have been torn there. By copy, one bit each.
 */
export class PageProof {
  readonly #tookLast: Uint8Array;
  readonly #tookBoth: Uint8Array;

  /** Of pages that were loaded, and repaired where a slot could not be judged. */
  constructor(pageCount: number) {
    this.#tookLast = new Uint8Array(pageCount).fill(ALL_COPIES);
    this.#tookBoth = new Uint8Array(pageCount).fill(ALL_COPIES);
  }

  /** An update that some copy has taken. One that none took is followed by one to the same slots, and says nothing. */
  noteUpdate(page: number, copyMask: number): void {
    this.#tookBoth[page] = this.#tookLast[page]! & copyMask;
    this.#tookLast[page] = copyMask;
  }

  /** Copies that got the present version in place, after both their slots had been judged. */
  noteRepair(page: number, copyMask: number): void {
    this.#tookBoth[page]! |= copyMask;
    this.#tookLast[page]! |= copyMask;
  }

  isProvenBy(page: number, copyMask: number): boolean {
    return (this.#tookBoth[page]! & copyMask) !== 0;
  }
}

/** `MAX_COPIES` of layout.ts. */
const ALL_COPIES = 0xff;
