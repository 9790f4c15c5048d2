import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assert } from '../base/assert.js';
import { type Layout, MAX_COPIES } from './layout.js';
import { planAddedSpare } from './plan-added-spare.js';
import { planLayout } from './plan-layout.js';
import { reservedUnitRanges, usableUnitCountOf } from './reserved-units.js';

const MIB = 1 << 20;

function layoutOf(copyCount: number, ...spareSizesBytes: number[]): Layout {
  const layout = planLayout({
    ...{ mainSizeBytes: 64 * MIB, logicalBlockBytes: 512, unitBytes: 4096 },
    ...{ copyCount, spareSizesBytes },
  });
  assert(layout.ok, 'fits');
  return layout.value;
}

function added(before: Layout, sizeBytes: number): Layout {
  const after = planAddedSpare(before, sizeBytes);
  assert(after.ok, `fits: ${JSON.stringify(after)}`);
  return after.value;
}

describe('a set with one more spare', () => {
  it('has what it had where it was, and copies with the pages of all on the new one', () => {
    const before = layoutOf(5, 4 * MIB);
    const after = added(before, 8 * MIB);
    expect(after.spares[0]).toEqual(before.spares[0]);
    expect(after.copies.slice(0, 5)).toEqual(before.copies);
    expect(after.copies.slice(5)).toEqual([
      { spareIndex: 1, offsetBytes: 0, pageCapacity: after.pageCount },
      { spareIndex: 1, offsetBytes: 7 * MIB, pageCapacity: after.pageCount },
    ]);
    const reserved = reservedUnitRanges(after).filter(
      ({ firstUnit }) => firstUnit < before.spares[0]!.unitCount,
    );
    expect(reserved).toEqual(reservedUnitRanges(before));
  });

  it('can be given spares up to eight, and each has a copy of its own', () => {
    for (const copyCount of [1, 5, 8]) {
      let layout = layoutOf(copyCount, 2 * MIB);
      while (layout.spares.length < 8) layout = added(layout, (2 + layout.spares.length) * MIB);
      expect(layout.copies.length).toBe(MAX_COPIES);
      expect([...layout.copies.map(({ spareIndex }) => spareIndex)].sort()).toEqual([
        ...layout.spares.keys(),
      ]);
      expect(planAddedSpare(layout, 4 * MIB)).toMatchObject({ error: { kind: 'badSpareCount', maximum: 8 } });
    }
  });

  it('refuses one that is too small, and says what would do', () => {
    const before = layoutOf(5, 512 * MIB);
    const refused = planAddedSpare(before, 2 * MIB);
    expect(refused).toMatchObject({ error: { kind: 'spareTooSmall', spareIndex: 1 } });
    assert(!refused.ok && refused.error.kind === 'spareTooSmall', 'is too small');
    expect(planAddedSpare(before, refused.error.minimumBytes).ok).toBe(true);
    expect(planAddedSpare(before, refused.error.minimumBytes - MIB).ok).toBe(false);
  });

  it('never takes the last copy of a spare, nor a place where data may lie', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), sizes, (copyCount, mebibytes) => {
        let layout = layoutOf(copyCount, 32 * MIB);
        for (const size of mebibytes) {
          const after = planAddedSpare(layout, size * MIB);
          if (!after.ok) continue;
          const before = layout;
          layout = after.value;
          for (const [spareIndex, spare] of before.spares.entries()) {
            expect(layout.spares[spareIndex]).toEqual(spare);
            expect(layout.copies.some((copy) => copy.spareIndex === spareIndex)).toBe(true);
            expect(usableUnitCountOf(layout, spareIndex)).toBeGreaterThanOrEqual(
              usableUnitCountOf(before, spareIndex),
            );
          }
        }
      }),
    );
  });
});
