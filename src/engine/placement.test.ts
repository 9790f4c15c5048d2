import { describe, expect, it } from 'vitest';
import { DescriptorState, emptyDescriptor } from '../format/descriptor-page.js';
import { DeviceShape } from './device-shape.js';
import { type AllocationPolicy, Placement } from './placement.js';
import { RemapTable } from './remap-table.js';
import { SpareAllocator } from './spare-allocator.js';

const SPARE_UNITS = 126;

/** A device with empty spares, whose units are given places as the relocation does. */
class Places {
  readonly table: RemapTable;
  readonly allocator: SpareAllocator;
  readonly placement: Placement;

  constructor(policy: AllocationPolicy, spareCount = 1) {
    const spares = Array.from({ length: spareCount }, (_, index) => ({
      sizeBytes: SPARE_UNITS * 4096,
      firstUnit: index * SPARE_UNITS,
      unitCount: SPARE_UNITS,
    }));
    const shape = new DeviceShape({
      mainSizeBytes: 1 << 30,
      unitBytes: 4096,
      logicalBlockBytes: 512,
      spares,
    });
    this.table = RemapTable.allocate(shape.spareUnitCount);
    this.allocator = new SpareAllocator(shape.spareUnitCount);
    this.placement = new Placement(shape, this.table, this.allocator);
    this.placement.policy = policy;
  }

  place(mainUnit: number): number {
    for (const spareIndex of this.placement.spareOrder(mainUnit)) {
      const spareUnit = this.placement.allocateOn(spareIndex, mainUnit);
      if (spareUnit === -1) continue;
      this.placement.notePlaced(spareUnit);
      this.table.set(spareUnit, { ...emptyDescriptor(), state: DescriptorState.mapped, mainUnit });
      return spareUnit;
    }
    return -1;
  }

  retire(spareUnit: number): void {
    this.allocator.take(spareUnit);
    this.table.set(spareUnit, { ...emptyDescriptor(), state: DescriptorState.retired });
  }
}

describe('the place of a unit', () => {
  it('sequential: the next free one, of the first spare that has one', () => {
    const places = new Places('sequential', 2);
    places.allocator.takeRange(0, SPARE_UNITS - 2);
    expect([9, 500, 3].map((unit) => places.place(unit))).toEqual([124, 125, 126]);
  });

  it('near: as far from its neighbours as on the main device, in whatever order they come', () => {
    const places = new Places('near', 2);
    const units = [1000, 70_000, 1003, 1001, 999, 70_001, 1002];
    const taken = new Map(units.map((unit) => [unit, places.place(unit)]));
    const start = taken.get(1000)!;
    for (const unit of [999, 1001, 1002, 1003]) expect(taken.get(unit)).toBe(start + unit - 1000);
    expect(taken.get(70_001)).toBe(taken.get(70_000)! + 1);
  });

  it('near: the neighbours of a unit on the second spare go there as well', () => {
    const places = new Places('near', 2);
    places.allocator.takeRange(0, SPARE_UNITS);
    const first = places.place(4000);
    expect(first).toBeGreaterThanOrEqual(SPARE_UNITS);
    for (let unit = 0; unit < 40; unit += 1) places.allocator.release(unit);
    expect(places.place(4001)).toBe(first + 1);
  });

  it('near: where no neighbour has room beside it, and no group is free, any place', () => {
    const places = new Places('near');
    for (let unit = 7; unit < SPARE_UNITS; unit += 16) places.allocator.take(unit);
    expect(places.place(50_000)).toBe(0);
  });

  it('spread: all spares in turn, and on each what was not used for longest', () => {
    const places = new Places('spread', 2);
    expect([1, 2, 3, 4].map((unit) => places.place(unit))).toEqual([0, 126, 1, 127]);
    places.allocator.takeRange(2, SPARE_UNITS - 2);
    places.allocator.release(40);
    places.allocator.release(90);
    expect(places.place(5)).toBe(40);
    places.allocator.takeRange(128, SPARE_UNITS - 2);
    places.allocator.release(50);
    expect([places.place(6), places.place(7), places.place(8)]).toEqual([50, 90, -1]);
  });

  it('balance: on the spare of which most is free, less what went bad', () => {
    const places = new Places('balance', 3);
    places.allocator.takeRange(0, 10);
    for (let unit = 0; unit < 6; unit += 1) places.retire(SPARE_UNITS + unit);
    expect(places.place(1)).toBe(2 * SPARE_UNITS);
    places.allocator.takeRange(2 * SPARE_UNITS, 11);
    expect(places.place(2)).toBe(10);
    places.allocator.takeRange(0, 13);
    expect(places.place(3)).toBe(2 * SPARE_UNITS + 11);
  });

  it.each([
    'sequential',
    'near',
    'spread',
    'balance',
  ] as const)('%s: every place is given, once', (policy) => {
    const places = new Places(policy, 2);
    places.retire(17);
    const given = Array.from({ length: 2 * SPARE_UNITS - 1 }, (_, nth) => places.place((nth * 37) % 1000));
    expect(new Set(given).size).toBe(given.length);
    expect(given).not.toContain(17);
    expect(places.place(5000)).toBe(-1);
  });
});
