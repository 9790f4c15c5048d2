import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REGION_BYTES } from './limits.js';
import { RegionFilter, RegionFlag } from './region-filter.js';

const MAIN_BYTES = 20 * REGION_BYTES - 4096;

const ranges = fc.tuple(fc.nat(MAIN_BYTES / 512 - 1), fc.nat(6 * 2048)).map(([first, count]) => ({
  offsetBytes: first * 512,
  lengthBytes: Math.min((count + 1) * 512, MAIN_BYTES - first * 512),
}));

const steps = fc.array(
  fc.record({
    range: ranges,
    flag: fc.constantFrom(...Object.values(RegionFlag)),
    add: fc.boolean(),
  }),
  { maxLength: 20 },
);

function regionsOf(range: { offsetBytes: number; lengthBytes: number }): number[] {
  const first = Math.floor(range.offsetBytes / REGION_BYTES);
  const last = Math.floor((range.offsetBytes + range.lengthBytes - 1) / REGION_BYTES);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe('the region filter', () => {
  it('answers for any range as a list of flags for each region would', () => {
    fc.assert(
      fc.property(steps, ranges, fc.integer({ min: 1, max: 7 }), (changes, asked, flags) => {
        const filter = RegionFilter.allocate(MAIN_BYTES);
        const model = new Array<number>(20).fill(0);
        for (const { range, flag, add } of changes) {
          if (add) filter.set(range.offsetBytes, range.lengthBytes, flag);
          else filter.clear(range.offsetBytes, range.lengthBytes, flag);
          for (const region of regionsOf(range))
            model[region] = add ? model[region]! | flag : model[region]! & ~flag;
        }
        const { offsetBytes, lengthBytes } = asked;
        const touched = regionsOf(asked);
        expect(filter.isPlain(offsetBytes, lengthBytes)).toBe(touched.every((region) => model[region] === 0));
        expect(filter.hasAny(offsetBytes, lengthBytes, flags)).toBe(
          touched.some((region) => (model[region]! & flags) !== 0),
        );
      }),
    );
  });

  it('keeps the last byte of a region and the first of the next apart', () => {
    const filter = RegionFilter.allocate(MAIN_BYTES);
    filter.set(REGION_BYTES, 1, RegionFlag.remapped);
    expect(filter.isPlain(0, REGION_BYTES)).toBe(true);
    expect(filter.isPlain(0, REGION_BYTES + 1)).toBe(false);
    expect(filter.isPlain(2 * REGION_BYTES, REGION_BYTES)).toBe(true);
  });

  it('covers a last region that the device cuts short', () => {
    const filter = RegionFilter.allocate(MAIN_BYTES);
    filter.set(MAIN_BYTES - 512, 512, RegionFlag.locked);
    expect(filter.hasAny(MAIN_BYTES - 512, 512, RegionFlag.locked)).toBe(true);
  });

  it('is seen by a second view of its memory', () => {
    const filter = RegionFilter.allocate(MAIN_BYTES);
    const view = new RegionFilter(filter.shared);
    filter.set(0, 1, RegionFlag.remapped);
    filter.set(0, 1, RegionFlag.locked);
    filter.clear(0, 1, RegionFlag.locked);
    expect(view.hasAny(0, 1, RegionFlag.remapped)).toBe(true);
    expect(view.hasAny(0, 1, RegionFlag.locked)).toBe(false);
  });
});
