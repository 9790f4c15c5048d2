import { failed, ok, type Result } from '../base/result.js';
import {
  type CopyLayout,
  DESCRIPTORS_PER_PAGE,
  type Layout,
  MAX_COPIES,
  MAX_SPARE_UNITS,
  MAX_SPARES,
  MIN_SPARE_BYTES,
  zoneStartBytes,
} from './layout.js';
import { fits, type LayoutFailure, minimumSizeBytes, unitCountFor, zoneOfCopy } from './plan-layout.js';

/**
 * The layout of a set with one more spare, behind the others. Nothing that is there moves: the older copies have no room
 * for the pages of the new spare, which only its own copies hold. Where all eight copies are in use, it takes one over
 * from the spare that has most. `sizeBytes`: of the new spare.
 */
export function planAddedSpare(before: Layout, sizeBytes: number): Result<Layout, LayoutFailure> {
  const spareIndex = before.spares.length;
  if (spareIndex === MAX_SPARES)
    return failed({ kind: 'badSpareCount', spareCount: spareIndex + 1, maximum: MAX_SPARES });
  if (sizeBytes < MIN_SPARE_BYTES) return failed(tooSmall(before, sizeBytes));
  const layout = withSpare(before, sizeBytes);
  const unitCount = layout.pageCount * DESCRIPTORS_PER_PAGE;
  if (unitCount > MAX_SPARE_UNITS)
    return failed({ kind: 'tooManyUnits', unitCount, maximum: MAX_SPARE_UNITS });
  return fits(layout, spareIndex) ? ok(layout) : failed(tooSmall(before, sizeBytes));
}

function withSpare(before: Layout, sizeBytes: number): Layout {
  const { unitBytes } = before;
  const spareIndex = before.spares.length;
  const firstUnit = before.pageCount * DESCRIPTORS_PER_PAGE;
  const unitCount = unitCountFor(sizeBytes, unitBytes);
  const pageCount = (firstUnit + unitCount) / DESCRIPTORS_PER_PAGE;
  const copies: CopyLayout[] = [...before.copies];
  const indexes = copyIndexesFor(before);
  for (const [nth, copyIndex] of indexes.entries()) {
    const offsetBytes = zoneStartBytes(sizeBytes, zoneOfCopy(nth, indexes.length));
    copies[copyIndex] = { spareIndex, offsetBytes, pageCapacity: pageCount };
  }
  const spares = [...before.spares, { sizeBytes, firstUnit, unitCount }];
  return { unitBytes, pageCount, spares, copies };
}

/** Which copies the new spare gets: free numbers first, then those of others, the last ones of whoever has most. */
function copyIndexesFor({ copies, spares }: Layout): readonly number[] {
  const wanted = spares.length < MAX_SPARES / 2 ? 2 : 1;
  const owners = copies.map(({ spareIndex }) => spareIndex);
  const indexes: number[] = [];
  while (indexes.length < wanted) {
    const index = owners.length < MAX_COPIES ? owners.length : lastOfLargestOwner(owners, spares.length);
    owners[index] = spares.length;
    indexes.push(index);
  }
  return indexes.sort((one, other) => one - other);
}

/** `newOwner`: the new spare, which does not give any away. */
function lastOfLargestOwner(owners: readonly number[], newOwner: number): number {
  const countOf = (owner: number): number =>
    owner === newOwner ? 0 : owners.filter((each) => each === owner).length;
  const most = Math.max(...owners.map(countOf));
  return owners.findLastIndex((owner) => countOf(owner) === most);
}

function tooSmall(before: Layout, sizeBytes: number): LayoutFailure {
  const spareIndex = before.spares.length;
  const minimumBytes = minimumSizeBytes(sizeBytes, (tried) => fits(withSpare(before, tried), spareIndex));
  const { unitBytes, copies } = before;
  if (minimumBytes === undefined)
    return { kind: 'metadataTooLarge', unitBytes, copyCount: copies.length, enoughUnitBytes: undefined };
  return { kind: 'spareTooSmall', spareIndex, sizeBytes, minimumBytes };
}
