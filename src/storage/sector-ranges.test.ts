import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SectorRanges } from './sector-ranges.js';

const range = fc
  .tuple(fc.nat(60), fc.integer({ min: 1, max: 10 }))
  .map(([start, length]) => ({ start, end: start + length }));

describe('SectorRanges', () => {
  it('finds the first sector of the set within a span, as a plain set would', () => {
    fc.assert(
      fc.property(fc.array(range), range, (ranges, span) => {
        const plain = new Set(ranges.flatMap(sectorsOf));
        const expected = sectorsOf(span).find((sector) => plain.has(sector)) ?? -1;
        expect(SectorRanges.of(ranges).firstWithin(span.start, span.end)).toBe(expected);
      }),
    );
  });

  it('takes sectors out, as a plain set would', () => {
    fc.assert(
      fc.property(fc.array(range), range, (ranges, hole) => {
        const left = SectorRanges.of(ranges).without(hole.start, hole.end);
        const expected = [...new Set(ranges.flatMap(sectorsOf))].filter(
          (sector) => sector < hole.start || sector >= hole.end,
        );
        expect(left.pairs().flatMap(sectorsOf)).toEqual(expected.sort((a, b) => a - b));
      }),
    );
  });

  it('keeps its ranges sorted and apart', () => {
    fc.assert(
      fc.property(fc.array(range), (ranges) => {
        const pairs = SectorRanges.of(ranges).pairs();
        for (const [index, pair] of pairs.entries()) {
          if (index > 0) expect(pair.start).toBeGreaterThan(pairs[index - 1]!.end);
        }
      }),
    );
  });
});

function sectorsOf({ start, end }: { start: number; end: number }): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}
