import { assert } from '../base/assert.js';
import { type CopyLayout, endPageOfSpare, firstPageOfSpare, type Layout } from './layout.js';

/**
 * The layout of a set without one of its spares. Unit numbers, and with them pages, of the spares behind it move up. Copies
 * on the others stay where they are; where the spare had a copy, the last ones take its number. At least one other spare.
 */
export function planRemovedSpare(before: Layout, spareIndex: number): RemovedSparePlan {
  assert(before.spares.length > 1, 'one spare is left');
  const { unitBytes } = before;
  const removed = before.spares[spareIndex]!;
  const firstPage = firstPageOfSpare(removed);
  const pageCount = endPageOfSpare(removed) - firstPage;
  const spares = before.spares
    .filter((_, index) => index !== spareIndex)
    .map((spare) =>
      spare.firstUnit < removed.firstUnit
        ? spare
        : { ...spare, firstUnit: spare.firstUnit - removed.unitCount },
    );
  const formerCopies = formerCopiesOf(before, spareIndex);
  const copies = formerCopies.map((copyIndex): CopyLayout => {
    const copy = before.copies[copyIndex]!;
    return {
      ...copy,
      spareIndex: copy.spareIndex > spareIndex ? copy.spareIndex - 1 : copy.spareIndex,
      pageCapacity: copy.pageCapacity > firstPage ? copy.pageCapacity - pageCount : copy.pageCapacity,
    };
  });
  return {
    layout: { unitBytes, pageCount: before.pageCount - pageCount, spares, copies },
    formerCopies,
    formerPage: (page) => (page < firstPage ? page : page + pageCount),
  };
}

export interface RemovedSparePlan {
  readonly layout: Layout;
  /** By copy, which it was before. */
  readonly formerCopies: readonly number[];
  /** Which page it was before. */
  readonly formerPage: (page: number) => number;
}

function formerCopiesOf({ copies }: Layout, spareIndex: number): readonly number[] {
  const left = [...copies.keys()].filter((index) => copies[index]!.spareIndex !== spareIndex);
  const behind = left.filter((index) => index >= left.length);
  return left.map((_, index) => (left.includes(index) ? index : behind.shift()!));
}
