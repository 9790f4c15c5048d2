import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Descriptor, DescriptorState, emptyDescriptor } from '../format/descriptor-page.js';
import { RemapTable } from './remap-table.js';

const CAPACITY = 200;

/** Few of them, so that they collide and move; some beyond 2^32, with equal low halves. */
const mainUnits = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 40 }).map((low) => low + 2 ** 32),
  fc.integer({ min: 0, max: 40 }).map((low) => low + 3 * 2 ** 32),
  fc.integer({ min: 2 ** 44, max: 2 ** 44 + 10 }),
);

function mapped(mainUnit: number, fields: Partial<Descriptor> = {}): Descriptor {
  return { ...emptyDescriptor(), state: DescriptorState.mapped, mainUnit, ...fields };
}

const retired: Descriptor = { ...emptyDescriptor(), state: DescriptorState.retired };

describe('the remap table', () => {
  it('leads from each main unit to the place it was given last, like a map', () => {
    const steps = fc.array(fc.record({ mainUnit: mainUnits, lostMask: fc.nat(0xff) }), {
      maxLength: CAPACITY,
    });
    fc.assert(
      fc.property(steps, (moves) => {
        const table = RemapTable.allocate(CAPACITY);
        const model = new Map<number, { spareUnit: number; lostMask: number }>();
        for (const [spareUnit, { mainUnit, lostMask }] of moves.entries()) {
          table.set(spareUnit, mapped(mainUnit, { lostMask }));
          const before = model.get(mainUnit);
          if (before !== undefined) table.set(before.spareUnit, retired);
          model.set(mainUnit, { spareUnit, lostMask });
        }
        for (const { mainUnit } of moves) {
          const place = model.get(mainUnit)!;
          expect(table.find(mainUnit)).toBe(place.spareUnit);
          expect(table.mainUnit(place.spareUnit)).toBe(mainUnit);
          expect(table.lostMask(place.spareUnit)).toBe(place.lostMask);
        }
        const lossy = [...model.values()].filter(({ lostMask }) => lostMask !== 0);
        expect(table.mappedCount).toBe(model.size);
        expect(table.unitsWithLossCount).toBe(lossy.length);
        expect(table.retiredCount).toBe(moves.length - model.size);
      }),
      { numRuns: 150 },
    );
  });

  it('finds no unit that was never mapped, whatever its numbers have in common with others', () => {
    fc.assert(
      fc.property(fc.uniqueArray(mainUnits, { minLength: 2, maxLength: CAPACITY }), (units) => {
        const table = RemapTable.allocate(CAPACITY);
        const known = units.slice(1);
        for (const [spareUnit, mainUnit] of known.entries()) table.set(spareUnit, mapped(mainUnit));
        expect(table.find(units[0]!)).toBe(-1);
        expect(known.map((unit) => table.find(unit))).toEqual([...known.keys()]);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps low halves apart by their high halves', () => {
    const table = RemapTable.allocate(10);
    table.set(3, mapped(2 ** 32 + 5));
    expect(table.find(5)).toBe(-1);
    expect(table.find(2 ** 33 + 5)).toBe(-1);
    expect(table.find(2 ** 32 + 5)).toBe(3);
  });

  it('finds every unit when each spare unit is taken', () => {
    const table = RemapTable.allocate(5000);
    for (let spareUnit = 0; spareUnit < 5000; spareUnit += 1) table.set(spareUnit, mapped(spareUnit * 4096));
    for (let spareUnit = 0; spareUnit < 5000; spareUnit += 1) {
      expect(table.find(spareUnit * 4096)).toBe(spareUnit);
    }
    expect(table.find(4095)).toBe(-1);
  });

  it('leads to the new place of a unit that moves over and over, and to one place only', () => {
    const table = RemapTable.allocate(CAPACITY);
    for (let spareUnit = 0; spareUnit < CAPACITY; spareUnit += 1) {
      table.set(spareUnit, mapped(77, { moveCount: spareUnit }));
      if (spareUnit > 0) table.set(spareUnit - 1, retired);
      expect(table.find(77)).toBe(spareUnit);
    }
    expect([table.mappedCount, table.retiredCount]).toEqual([1, CAPACITY - 1]);
  });

  it('counts a unit whose loss is made good as whole again', () => {
    const table = RemapTable.allocate(4);
    table.set(0, mapped(9, { lostMask: 0b101 }));
    expect(table.unitsWithLossCount).toBe(1);
    table.set(0, mapped(9, { lostMask: 0b100 }));
    expect(table.unitsWithLossCount).toBe(1);
    table.set(0, mapped(9));
    expect([table.mappedCount, table.unitsWithLossCount]).toEqual([1, 0]);
  });

  it('is seen by a second view of its memory at once', () => {
    const table = RemapTable.allocate(CAPACITY);
    const view = new RemapTable(table.shared, CAPACITY);
    const entry = mapped(2 ** 40 + 1, {
      lostMask: 0xffff_ffff,
      timeSeconds: 4_000_000_000,
      errorCount: 65_535,
      moveCount: 255,
      reason: 6,
    });
    table.set(17, entry);
    expect(view.find(2 ** 40 + 1)).toBe(17);
    const seen = emptyDescriptor();
    view.get(17, seen);
    expect(seen).toEqual(entry);
    expect([view.mappedCount, view.unitsWithLossCount]).toEqual([1, 1]);
  });

  it('refuses a view of another capacity', () => {
    const table = RemapTable.allocate(10);
    expect(() => new RemapTable(table.shared, 12)).toThrow('belong together');
  });

  it('takes less than 32 bytes for each of a million remaps, all of which it finds', () => {
    const count = 1_000_000;
    const table = RemapTable.allocate(count);
    expect(table.shared.byteLength / count).toBeLessThan(32);
    const entry = mapped(0);
    for (let spareUnit = 0; spareUnit < count; spareUnit += 1) {
      entry.mainUnit = spareUnit * 37;
      table.set(spareUnit, entry);
    }
    let wrongCount = 0;
    for (let spareUnit = 0; spareUnit < count; spareUnit += 1) {
      if (table.find(spareUnit * 37) !== spareUnit) wrongCount += 1;
    }
    expect([wrongCount, table.mappedCount]).toEqual([0, count]);
  });
});
