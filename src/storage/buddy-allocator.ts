import { assert } from '../base/assert.js';
import { PAGE_BYTES } from '../ports/io-memory.js';

/**
 * Hands out page-aligned pieces of a region (payload buffers in `IoMemory`) in power-of-two sizes from one page up.
 * A freed block is merged with its buddy at once, so that the largest block is there again when all is free.
 * Numbers and typed arrays only: nothing is allocated per call, and a call takes at most one step per order.
 */
export class BuddyAllocator {
  readonly #baseOffset: number;
  readonly #sizeBytes: number;
  readonly #pageCount: number;
  /** Per page: what starts there (`INTERIOR`, `FREE | order`, `USED | order`). */
  readonly #heads: Uint8Array;
  /** Free blocks of one order are a doubly linked list of page numbers, `NONE` at the ends. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #firstFree: Int32Array;
  #usedBytes = 0;

  /** `sizeBytes` and `baseOffset` are multiples of the page; the size need not be a power of two. */
  constructor(sizeBytes: number, baseOffset = 0) {
    assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, `region of ${sizeBytes} bytes`);
    assert(sizeBytes % PAGE_BYTES === 0 && baseOffset % PAGE_BYTES === 0, 'a region is whole pages');
    this.#sizeBytes = sizeBytes;
    this.#baseOffset = baseOffset;
    this.#pageCount = sizeBytes / PAGE_BYTES;
    assert(this.#pageCount < 2 ** 31, 'page numbers are 32-bit');
    this.#heads = new Uint8Array(this.#pageCount);
    this.#next = new Int32Array(this.#pageCount);
    this.#previous = new Int32Array(this.#pageCount);
    this.#firstFree = new Int32Array(ORDER_COUNT).fill(NONE);
    this.#addWholeRegion();
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** May be scattered: the largest block to be had can be smaller. */
  get freeBytes(): number {
    return this.#sizeBytes - this.#usedBytes;
  }

  /** Offset of a block of at least `lengthBytes` (> 0), or -1 when none is left. */
  allocate(lengthBytes: number): number {
    assert(lengthBytes > 0, 'an allocation has a length');
    if (lengthBytes > this.#sizeBytes) return -1;
    const order = orderOfPages(Math.ceil(lengthBytes / PAGE_BYTES));
    let found = order;
    while (found < ORDER_COUNT && this.#firstFree[found] === NONE) found += 1;
    if (found === ORDER_COUNT) return -1;
    const page = this.#firstFree[found]!;
    this.#unlink(page, found);
    while (found > order) {
      found -= 1;
      this.#link(page + (1 << found), found);
    }
    this.#heads[page] = USED | order;
    this.#usedBytes += PAGE_BYTES * (1 << order);
    return this.#baseOffset + page * PAGE_BYTES;
  }

  /** Gives back a block by the offset `allocate` gave. */
  free(offset: number): void {
    let page = (offset - this.#baseOffset) / PAGE_BYTES;
    assert(Number.isInteger(page) && page >= 0 && page < this.#pageCount, 'free of a foreign offset');
    const head = this.#heads[page]!;
    assert((head & USED) !== 0, 'free where no block in use starts');
    let order = head & ORDER_MASK;
    this.#usedBytes -= PAGE_BYTES * (1 << order);
    this.#heads[page] = INTERIOR;
    while (order < ORDER_COUNT - 1) {
      const buddy = page ^ (1 << order);
      if (buddy >= this.#pageCount || this.#heads[buddy] !== (FREE | order)) break;
      this.#unlink(buddy, order);
      page = Math.min(page, buddy);
      order += 1;
    }
    this.#link(page, order);
  }

  /** The region as the largest blocks that are aligned to their own size and fit. */
  #addWholeRegion(): void {
    let page = 0;
    for (let order = ORDER_COUNT - 1; order >= 0; order -= 1) {
      if (this.#pageCount - page < 1 << order) continue;
      this.#link(page, order);
      page += 1 << order;
    }
    assert(page === this.#pageCount, 'the whole region is handed out');
  }

  #link(page: number, order: number): void {
    const first = this.#firstFree[order]!;
    this.#heads[page] = FREE | order;
    this.#next[page] = first;
    this.#previous[page] = NONE;
    if (first !== NONE) this.#previous[first] = page;
    this.#firstFree[order] = page;
  }

  #unlink(page: number, order: number): void {
    const next = this.#next[page]!;
    const previous = this.#previous[page]!;
    if (previous === NONE) this.#firstFree[order] = next;
    else this.#next[previous] = next;
    if (next !== NONE) this.#previous[next] = previous;
    this.#heads[page] = INTERIOR;
  }
}

const NONE = -1;
const INTERIOR = 0;
const FREE = 0x80;
const USED = 0x40;
const ORDER_MASK = 0x3f;
/** Orders 0 to 30: page numbers and their buddies stay in 31 bits. */
const ORDER_COUNT = 31;

/** The smallest order whose block holds this many pages (>= 1). */
function orderOfPages(pageCount: number): number {
  return 32 - Math.clz32(pageCount - 1);
}
