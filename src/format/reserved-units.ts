import {
  ANCHOR_BYTES,
  type Layout,
  regionBytes,
  type SpareLayout,
  ZONE_COUNT,
  zoneStartBytes,
} from './layout.js';

/**
 * Spare units that never hold data, by global number, ascending and apart from each other: those that touch a
 * metadata region, those that touch the first two pages of any zone (where a reader looks for superblocks, so user
 * data must never look like one), and those that reach beyond the end of the device. Follows from the layout; is
 * never stored.
 */
export function reservedUnitRanges(layout: Layout): readonly UnitRange[] {
  return layout.spares.flatMap((spare, index) => merge(reservedOn(layout, spare, index)));
}

/** Spare units that can hold data when none is mapped or retired. */
export function usableUnitCount(layout: Layout): number {
  return layout.spares.reduce((sum, _, index) => sum + usableUnitCountOf(layout, index), 0);
}

/** The same for one spare. */
export function usableUnitCountOf(layout: Layout, spareIndex: number): number {
  const spare = layout.spares[spareIndex]!;
  const reserved = merge(reservedOn(layout, spare, spareIndex));
  return spare.unitCount - reserved.reduce((sum, range) => sum + range.unitCount, 0);
}

export interface UnitRange {
  readonly firstUnit: number;
  readonly unitCount: number;
}

function reservedOn(layout: Layout, spare: SpareLayout, spareIndex: number): UnitRange[] {
  const { unitBytes } = layout;
  const numbersEnd = spare.unitCount * unitBytes;
  const lastWholeEnd = Math.floor(spare.sizeBytes / unitBytes) * unitBytes;
  const ranges = [touching(spare, unitBytes, lastWholeEnd, numbersEnd)];
  for (let zone = 0; zone < ZONE_COUNT; zone += 1) {
    const start = zoneStartBytes(spare.sizeBytes, zone);
    ranges.push(touching(spare, unitBytes, start, start + ANCHOR_BYTES));
  }
  for (const copy of layout.copies) {
    if (copy.spareIndex !== spareIndex) continue;
    ranges.push(
      touching(spare, unitBytes, copy.offsetBytes, copy.offsetBytes + regionBytes(copy.pageCapacity)),
    );
  }
  return ranges;
}

/** Units of a spare that have a byte in common with this byte range of it. */
function touching(spare: SpareLayout, unitBytes: number, startBytes: number, endBytes: number): UnitRange {
  const first = Math.floor(startBytes / unitBytes);
  const end = Math.min(Math.ceil(endBytes / unitBytes), spare.unitCount);
  return { firstUnit: spare.firstUnit + first, unitCount: Math.max(0, end - first) };
}

function merge(ranges: UnitRange[]): UnitRange[] {
  const merged: UnitRange[] = [];
  for (const range of ranges.sort((one, other) => one.firstUnit - other.firstUnit)) {
    if (range.unitCount === 0) continue;
    const last = merged.at(-1);
    if (last === undefined || last.firstUnit + last.unitCount < range.firstUnit) {
      merged.push(range);
      continue;
    }
    const end = Math.max(last.firstUnit + last.unitCount, range.firstUnit + range.unitCount);
    merged[merged.length - 1] = { firstUnit: last.firstUnit, unitCount: end - last.firstUnit };
  }
  return merged;
}
