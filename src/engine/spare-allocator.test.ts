import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpareAllocator } from './spare-allocator.js';

const unitCounts = fc.integer({ min: 1, max: 150 });
const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('allocate', 'allocate', 'take', 'takeRange', 'release'),
    at: fc.nat(200),
  }),
  { maxLength: 120 },
);

describe('the spare allocator', () => {
  it('hands out the lowest free unit, after any history', () => {
    fc.assert(
      fc.property(unitCounts, steps, (unitCount, history) => {
        const allocator = new SpareAllocator(unitCount);
        const free = new Set(Array.from({ length: unitCount }, (_, unit) => unit));
        for (const { kind, at } of history) apply(allocator, free, unitCount, kind, at % unitCount);
        expect(allocator.freeCount).toBe(free.size);
        for (let unit = 0; unit < unitCount; unit += 1) expect(allocator.isTaken(unit)).toBe(!free.has(unit));
        for (const unit of [...free].sort((a, b) => a - b)) expect(allocator.allocate()).toBe(unit);
        expect(allocator.allocate()).toBe(-1);
      }),
      { numRuns: 150 },
    );
  });

  it('hands out each unit once, to the last bit of every word', () => {
    const allocator = new SpareAllocator(97);
    const handedOut = Array.from({ length: 97 }, () => allocator.allocate());
    expect(handedOut).toEqual([...handedOut.keys()]);
    expect([allocator.allocate(), allocator.freeCount]).toEqual([-1, 0]);
  });

  it('gives a released unit out again, before higher ones', () => {
    const allocator = new SpareAllocator(100);
    for (let count = 0; count < 80; count += 1) allocator.allocate();
    allocator.release(31);
    allocator.release(63);
    expect([allocator.allocate(), allocator.allocate(), allocator.allocate()]).toEqual([31, 63, 80]);
  });

  it('marks a range over units that are taken already', () => {
    const allocator = new SpareAllocator(70);
    allocator.take(5);
    allocator.takeRange(0, 66);
    expect([allocator.freeCount, allocator.allocate()]).toEqual([4, 66]);
  });

  it('finds so many free units in a row', () => {
    const allocator = new SpareAllocator(100);
    for (const unit of [3, 4, 40, 41, 70]) allocator.take(unit);
    const found = (length: number): number => allocator.firstFreeRun(length, 2, 90);
    expect([1, 2, 29, 35, 36, 90].map(found)).toEqual([2, 5, 5, 5, -1, -1]);
    expect([allocator.firstFreeRun(22, 0, 100), allocator.firstFreeRun(22, 71, 29)]).toEqual([5, 71]);
  });

  it('refuses an owner for a unit that has one, and units that are not there', () => {
    const allocator = new SpareAllocator(40);
    allocator.take(7);
    expect(() => allocator.take(7)).toThrow('has an owner already');
    expect(() => allocator.take(40)).toThrow('spare unit 40 of 40');
    expect(() => allocator.release(8)).toThrow('is free already');
  });
});

function apply(
  allocator: SpareAllocator,
  free: Set<number>,
  unitCount: number,
  kind: string,
  unit: number,
): void {
  if (kind === 'allocate') free.delete(allocator.allocate());
  if (kind === 'take' && free.delete(unit)) allocator.take(unit);
  if (kind === 'takeRange') {
    const end = Math.min(unitCount, unit + 40);
    allocator.takeRange(unit, end - unit);
    for (let each = unit; each < end; each += 1) free.delete(each);
  }
  if (kind === 'release' && !free.has(unit)) {
    allocator.release(unit);
    free.add(unit);
  }
}
