import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { regionBytes, zoneEndBytes, zoneStartBytes } from './layout.js';
import { type LayoutFailure, type LayoutRequest, planLayout } from './plan-layout.js';
import { reservedUnitRanges, usableUnitCount } from './reserved-units.js';

const MIB = 1 << 20;

function request(changes: Partial<LayoutRequest> = {}): LayoutRequest {
  const sizes = { mainSizeBytes: 100 * MIB, logicalBlockBytes: 512, unitBytes: 4096 };
  return { ...sizes, copyCount: 5, spareSizesBytes: [64 * MIB], ...changes };
}

function failureOf(changes: Partial<LayoutRequest>): LayoutFailure {
  const planned = planLayout(request(changes));
  if (planned.ok) throw new Error('the layout was accepted');
  return planned.error;
}

const anyRequest: fc.Arbitrary<LayoutRequest> = fc
  .record({
    unitBytes: fc.constantFrom(512, 1024, 4096, 16384),
    copyCount: fc.integer({ min: 1, max: 8 }),
    spareSizesBytes: fc.array(
      fc.integer({ min: 2000, max: 300_000 }).map((sectors) => sectors * 512),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(request);

describe('a planned layout', () => {
  it('spreads the copies of one spare from its first zone to its last', () => {
    const planned = planLayout(request());
    const zones = planned.ok ? planned.value.copies.map((copy) => copy.offsetBytes / (8 * MIB)) : [];
    expect(zones).toEqual([0, 2, 4, 5, 7]);
  });

  it('deals the copies out to the spares in turn', () => {
    const planned = planLayout(request({ spareSizesBytes: [64 * MIB, 32 * MIB] }));
    const places = planned.ok
      ? planned.value.copies.map((copy) => [copy.spareIndex, copy.offsetBytes / MIB])
      : [];
    expect(places).toEqual([
      [0, 0],
      [1, 0],
      [0, 32],
      [1, 28],
      [0, 56],
    ]);
  });

  it('keeps its promises, or a refusal names a size that works', () => {
    fc.assert(
      fc.property(anyRequest, (wanted) => {
        const planned = planLayout(wanted);
        if (planned.ok) {
          const { spares, copies, pageCount } = planned.value;
          let firstUnit = 0;
          for (const [spareIndex, spare] of spares.entries()) {
            expect(spare.firstUnit).toBe(firstUnit);
            expect(spare.unitCount % 126).toBe(0);
            expect(spare.unitCount * wanted.unitBytes).toBeGreaterThan(spare.sizeBytes - wanted.unitBytes);
            firstUnit += spare.unitCount;
            const here = copies.filter((copy) => copy.spareIndex === spareIndex);
            expect(here.length).toBeGreaterThan(0);
            expect(here.length * regionBytes(pageCount)).toBeLessThanOrEqual(spare.sizeBytes / 2);
          }
          expect(pageCount * 126).toBe(firstUnit);
          expect(new Set(copies.map((copy) => `${copy.spareIndex} ${copy.offsetBytes}`)).size).toBe(
            copies.length,
          );
          for (const copy of copies) {
            const { sizeBytes } = spares[copy.spareIndex]!;
            const zone = [0, 1, 2, 3, 4, 5, 6, 7].find(
              (each) => zoneStartBytes(sizeBytes, each) === copy.offsetBytes,
            );
            expect(zone).toBeDefined();
            expect(copy.offsetBytes + regionBytes(pageCount)).toBeLessThanOrEqual(
              zoneEndBytes(sizeBytes, zone!),
            );
          }
        } else if (planned.error.kind === 'spareTooSmall') {
          const { spareIndex, sizeBytes, minimumBytes } = planned.error;
          expect(minimumBytes).toBeGreaterThan(sizeBytes);
          const again = planLayout({
            ...wanted,
            spareSizesBytes: wanted.spareSizesBytes.with(spareIndex, minimumBytes),
          });
          if (!again.ok && again.error.kind === 'spareTooSmall')
            expect(again.error.spareIndex).not.toBe(spareIndex);
        } else if (planned.error.kind === 'metadataTooLarge') {
          const { enoughUnitBytes } = planned.error;
          if (enoughUnitBytes !== undefined)
            expect(planLayout({ ...wanted, unitBytes: enoughUnitBytes }).ok).toBe(true);
        } else {
          expect(planned.error.kind).toBe('badCopyCount');
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is refused with the reason and the bounds', () => {
    expect(failureOf({ logicalBlockBytes: 1024 })).toEqual({
      kind: 'badLogicalBlock',
      logicalBlockBytes: 1024,
    });
    const badUnit = { kind: 'badUnit', minimumBytes: 512, maximumBytes: 16384 };
    expect(failureOf({ unitBytes: 3000 })).toEqual({ ...badUnit, unitBytes: 3000 });
    expect(failureOf({ unitBytes: 32768 })).toEqual({ ...badUnit, unitBytes: 32768 });
    expect(failureOf({ unitBytes: 256 })).toEqual({ ...badUnit, unitBytes: 256 });
    expect(failureOf({ mainSizeBytes: 1000 })).toEqual({ kind: 'badMainSize', mainSizeBytes: 1000 });
    expect(failureOf({ spareSizesBytes: [] })).toEqual({ kind: 'badSpareCount', spareCount: 0, maximum: 8 });
    const three = [64 * MIB, 64 * MIB, 64 * MIB];
    const badCopies = { kind: 'badCopyCount', copyCount: 2, minimum: 3, maximum: 8 };
    expect(failureOf({ copyCount: 2, spareSizesBytes: three })).toEqual(badCopies);
    const tooSmall = { kind: 'spareTooSmall', spareIndex: 0, sizeBytes: MIB - 512, minimumBytes: MIB };
    expect(failureOf({ spareSizesBytes: [MIB - 512] })).toEqual(tooSmall);
    expect(failureOf({ unitBytes: 512, copyCount: 1 })).toEqual({
      kind: 'metadataTooLarge',
      unitBytes: 512,
      copyCount: 1,
      enoughUnitBytes: 1024,
    });
    expect(failureOf({ spareSizesBytes: [2 ** 40] }).kind).toBe('tooManyUnits');
  });

  it('refuses a small spare beside a large one, since every copy holds all pages', () => {
    const failure = failureOf({ spareSizesBytes: [8 * 1024 * MIB, 16 * MIB], copyCount: 2 });
    expect(failure).toMatchObject({ kind: 'spareTooSmall', spareIndex: 1 });
  });
});

describe('reserved units', () => {
  it('are exactly those that touch a region or an anchor, or reach beyond the end', () => {
    fc.assert(
      fc.property(anyRequest, (wanted) => {
        const planned = planLayout(wanted);
        fc.pre(planned.ok);
        if (!planned.ok) return;
        const { spares, copies, unitBytes, pageCount } = planned.value;
        const reserved = new Set<number>();
        let lastEnd = -1;
        for (const range of reservedUnitRanges(planned.value)) {
          expect(range.firstUnit).toBeGreaterThanOrEqual(lastEnd);
          lastEnd = range.firstUnit + range.unitCount;
          for (let unit = range.firstUnit; unit < lastEnd; unit += 1) reserved.add(unit);
        }
        let usable = 0;
        let wrongCount = 0;
        for (const [spareIndex, spare] of spares.entries()) {
          const taken = [0, 1, 2, 3, 4, 5, 6, 7].map((zone) => {
            const start = zoneStartBytes(spare.sizeBytes, zone);
            return [start, start + 8192] as const;
          });
          for (const copy of copies) {
            const end = copy.offsetBytes + regionBytes(pageCount);
            if (copy.spareIndex === spareIndex) taken.push([copy.offsetBytes, end]);
          }
          for (let local = 0; local < spare.unitCount; local += 1) {
            const [start, end] = [local * unitBytes, (local + 1) * unitBytes];
            const free = end <= spare.sizeBytes && taken.every(([from, to]) => end <= from || start >= to);
            if (free) usable += 1;
            if (reserved.has(spare.firstUnit + local) === free) wrongCount += 1;
          }
        }
        expect(wrongCount).toBe(0);
        expect(usableUnitCount(planned.value)).toBe(usable);
        expect(usable).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    );
  });
});
