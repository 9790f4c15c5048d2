import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coveredMask, existingMask, halve, type Segment, segmentsOf } from './segments.js';
import { exampleContext, remapUnit } from './testing/example-context.js';

const MAIN_BYTES = 40 * 4096 + 1536;
const BLOCK_COUNT = MAIN_BYTES / 512;

const ranges = fc.tuple(fc.nat(BLOCK_COUNT - 1), fc.nat(BLOCK_COUNT)).map(([first, count]) => ({
  offsetBytes: first * 512,
  lengthBytes: Math.min(count + 1, BLOCK_COUNT - first) * 512,
  memoryOffset: 65536,
}));
const units = fc.uniqueArray(fc.nat(40), { maxLength: 12 });

function partsOf(segment: Segment): { at: number; spareUnit: number; memoryOffset: number }[] {
  return Array.from({ length: segment.lengthBytes / 512 }, (_, block) => ({
    at: segment.offsetBytes + block * 512,
    spareUnit: segment.spareUnit,
    memoryOffset: segment.memoryOffset + block * 512,
  }));
}

describe('the segments of a range', () => {
  it('cover it once and in order, each block with its place and its memory', () => {
    fc.assert(
      fc.property(units, units, ranges, (remapped, doubtful, range) => {
        const context = exampleContext({ mainSizeBytes: MAIN_BYTES });
        const places = new Map(remapped.map((unit) => [unit, remapUnit(context, unit)]));
        for (const unit of doubtful) context.doubtfulUnits.set(unit, 0);
        const parts = segmentsOf(context, range).flatMap(partsOf);
        const expected = Array.from({ length: range.lengthBytes / 512 }, (_, block) => {
          const at = range.offsetBytes + block * 512;
          const spareUnit = places.get(Math.floor(at / 4096)) ?? -1;
          return { at, spareUnit, memoryOffset: range.memoryOffset + block * 512 };
        });
        expect(parts).toEqual(expected);
      }),
    );
  });

  it('have units on a spare and doubtful ones each for itself, and nothing else cut', () => {
    const context = exampleContext({ mainSizeBytes: MAIN_BYTES });
    for (const unit of [4, 5]) remapUnit(context, unit);
    context.doubtfulUnits.set(9, 3);
    const segments = segmentsOf(context, { offsetBytes: 2048, lengthBytes: 20 * 4096, memoryOffset: 0 });
    expect(segments.map(({ lengthBytes }) => lengthBytes)).toEqual([
      4 * 4096 - 2048,
      4096,
      4096,
      3 * 4096,
      4096,
      10 * 4096 + 2048,
    ]);
  });

  it('halve down to single units at unit boundaries, losing nothing', () => {
    fc.assert(
      fc.property(ranges, (range) => {
        const context = exampleContext({ mainSizeBytes: MAIN_BYTES });
        const leaves: Segment[] = [];
        const split = (segment: Segment): void => {
          const halves = halve(context, segment);
          if (halves === undefined) leaves.push(segment);
          else for (const half of halves) split(half);
        };
        const [whole] = segmentsOf(context, range);
        split(whole!);
        expect(leaves.flatMap(partsOf)).toEqual(partsOf(whole!));
        const unitsOf = leaves.map(({ offsetBytes }) => Math.floor(offsetBytes / 4096));
        const lastUnitsOf = leaves.map((leaf) =>
          Math.floor((leaf.offsetBytes + leaf.lengthBytes - 1) / 4096),
        );
        expect(unitsOf).toEqual(lastUnitsOf);
        expect(new Set(unitsOf).size).toBe(leaves.length);
      }),
    );
  });

  it('know their blocks, and how many a cut last unit has', () => {
    const context = exampleContext({ mainSizeBytes: MAIN_BYTES });
    const segment = { spareUnit: -1, offsetBytes: 4096 + 1024, lengthBytes: 1536, memoryOffset: 0 };
    expect(coveredMask(context, segment)).toBe(0b0001_1100);
    expect([existingMask(context, 0), existingMask(context, 40)]).toEqual([0xff, 0b111]);
  });
});
