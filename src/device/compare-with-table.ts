import type { RemapTable } from '../engine/remap-table.js';
import { type Descriptor, DescriptorState, emptyDescriptor } from '../format/descriptor-page.js';
import { DESCRIPTORS_PER_PAGE } from '../format/layout.js';

/**
 * Do the pages of the map, as they are loaded one after the other, say what the map in memory says? A page can be whole, of
 * the right number, and yet not be what was written: where there is one copy only, no other contradicts it.
 */
export class TableComparison {
  readonly #table: RemapTable;
  readonly #known = emptyDescriptor();
  /** Of the page in hand: descriptors that are not free, and whether all were as the table has them. */
  #usedCount = 0;
  #agrees = true;

  constructor(table: RemapTable) {
    this.#table = table;
  }

  /** Before the descriptors of a page. */
  beginPage(): void {
    this.#usedCount = 0;
    this.#agrees = true;
  }

  /** One that is not free. */
  take(spareUnit: number, descriptor: Readonly<Descriptor>): void {
    this.#usedCount += 1;
    this.#table.get(spareUnit, this.#known);
    this.#agrees &&= FIELDS.every((field) => this.#known[field] === descriptor[field]);
  }

  /** After its last descriptor. */
  agreesOn(page: number): boolean {
    return this.#agrees && this.#usedCount === this.#usedInTable(page);
  }

  #usedInTable(page: number): number {
    let count = 0;
    const firstUnit = page * DESCRIPTORS_PER_PAGE;
    for (let unit = firstUnit; unit < firstUnit + DESCRIPTORS_PER_PAGE; unit += 1)
      if (this.#table.state(unit) !== DescriptorState.free) count += 1;
    return count;
  }
}

/** What the set goes by. When and how often something was is history, which the table may have to round. */
const FIELDS = ['state', 'mainUnit', 'lostMask', 'moveCount'] as const;
