import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DescriptorState, emptyDescriptor } from '../format/descriptor-page.js';
import { DeviceShape } from './device-shape.js';
import { RegionFilter, RegionFlag } from './region-filter.js';
import { RemapTable } from './remap-table.js';
import { planRequest, RequestPlan } from './request-plan.js';

const UNIT_BYTES = 4096;
/** Two regions and a piece, the last unit cut short. */
const MAIN_BYTES = (2 << 20) + 9 * UNIT_BYTES + 1536;
const UNIT_COUNT = Math.ceil(MAIN_BYTES / UNIT_BYTES);
const BLOCK_COUNT = MAIN_BYTES / 512;
const SPARES = [
  { sizeBytes: 126 * 4096, firstUnit: 0, unitCount: 126 },
  { sizeBytes: 126 * 4096, firstUnit: 126, unitCount: 126 },
];

interface Remap {
  readonly mainUnit: number;
  readonly spareUnit: number;
  readonly lostMask: number;
}

/** Crowded at places, so that neighbours on main are neighbours on a spare now and then. */
const remaps = fc
  .uniqueArray(
    fc.record({
      mainUnit: fc.oneof(
        fc.nat(UNIT_COUNT - 1),
        fc.integer({ min: 250, max: 262 }),
        fc.constant(UNIT_COUNT - 1),
      ),
      lostMask: fc.oneof(fc.constant(0), fc.nat(0xff)),
    }),
    { selector: ({ mainUnit }) => mainUnit, maxLength: 60 },
  )
  .chain((units) =>
    fc
      .nat(SPARES[1]!.unitCount)
      .map((shift) => units.map((unit, index): Remap => ({ ...unit, spareUnit: index + shift }))),
  );

const requests = fc
  .tuple(fc.oneof(fc.nat(BLOCK_COUNT - 1), fc.integer({ min: 1990, max: 2100 })), fc.nat(300))
  .map(([first, count]) => ({
    offsetBytes: first * 512,
    lengthBytes: Math.min(count + 1, BLOCK_COUNT - first) * 512,
  }));

function deviceWith(units: readonly Remap[]): {
  shape: DeviceShape;
  table: RemapTable;
  filter: RegionFilter;
} {
  const shape = new DeviceShape({
    mainSizeBytes: MAIN_BYTES,
    unitBytes: UNIT_BYTES,
    logicalBlockBytes: 512,
    spares: SPARES,
  });
  const table = RemapTable.allocate(shape.spareUnitCount);
  const filter = RegionFilter.allocate(MAIN_BYTES);
  for (const { mainUnit, spareUnit, lostMask } of units) {
    table.set(spareUnit, { ...emptyDescriptor(), state: DescriptorState.mapped, mainUnit, lostMask });
    filter.set(mainUnit * UNIT_BYTES, 1, RegionFlag.remapped);
  }
  return { shape, table, filter };
}

function planFor(
  units: readonly Remap[],
  offsetBytes: number,
  lengthBytes: number,
  capacity = 2049,
): RequestPlan {
  const { shape, table, filter } = deviceWith(units);
  const plan = new RequestPlan(capacity);
  planRequest(shape, table, filter, offsetBytes, lengthBytes, plan);
  return plan;
}

/** Where each block of a plan lies, as text. */
function blocksOf(plan: RequestPlan): string[] {
  const blocks: string[] = [];
  for (let run = 0; run < plan.count; run += 1) {
    for (let at = 0; at < plan.lengthBytes[run]!; at += 512)
      blocks.push(`${plan.target[run]}:${plan.offsetBytes[run]! + at}`);
  }
  return blocks;
}

/** The same, found block by block. */
function naiveBlocks(units: readonly Remap[], offsetBytes: number, lengthBytes: number): string[] {
  const blocks: string[] = [];
  for (let at = offsetBytes; at < offsetBytes + lengthBytes; at += 512) {
    const remap = units.find(({ mainUnit }) => mainUnit === Math.floor(at / UNIT_BYTES));
    if (remap === undefined) blocks.push(`0:${at}`);
    else {
      const spare = remap.spareUnit < 126 ? 0 : 1;
      const start = (remap.spareUnit - SPARES[spare]!.firstUnit) * UNIT_BYTES;
      blocks.push(`${1 + spare}:${start + (at % UNIT_BYTES)}`);
    }
  }
  return blocks;
}

function naiveFirstLost(units: readonly Remap[], offsetBytes: number, lengthBytes: number): number {
  for (let at = offsetBytes; at < offsetBytes + lengthBytes; at += 512) {
    const remap = units.find(({ mainUnit }) => mainUnit === Math.floor(at / UNIT_BYTES));
    if (remap !== undefined && ((remap.lostMask >>> ((at % UNIT_BYTES) / 512)) & 1) === 1) return at;
  }
  return -1;
}

describe('the plan of a request', () => {
  it('leads every block to its place, in order, and says where the first loss is', () => {
    fc.assert(
      fc.property(remaps, requests, (units, { offsetBytes, lengthBytes }) => {
        const plan = planFor(units, offsetBytes, lengthBytes);
        expect(blocksOf(plan)).toEqual(naiveBlocks(units, offsetBytes, lengthBytes));
        expect(plan.firstLostOffsetBytes).toBe(naiveFirstLost(units, offsetBytes, lengthBytes));
        expect(plan.overflow).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it('has no two runs that could be one', () => {
    fc.assert(
      fc.property(remaps, requests, (units, { offsetBytes, lengthBytes }) => {
        const plan = planFor(units, offsetBytes, lengthBytes);
        for (let run = 1; run < plan.count; run += 1) {
          const goesOn =
            plan.target[run] === plan.target[run - 1] &&
            plan.offsetBytes[run] === plan.offsetBytes[run - 1]! + plan.lengthBytes[run - 1]!;
          expect(goesOn).toBe(false);
        }
      }),
    );
  });

  it('is one run where nothing is remapped, across regions to the last short unit', () => {
    const plan = planFor([], 0, MAIN_BYTES);
    expect([plan.count, plan.target[0], plan.lengthBytes[0]]).toEqual([1, 0, MAIN_BYTES]);
  });

  it('joins neighbours that are neighbours on the spare too', () => {
    const units = [
      { mainUnit: 10, spareUnit: 4, lostMask: 0 },
      { mainUnit: 11, spareUnit: 5, lostMask: 0 },
      { mainUnit: 12, spareUnit: 7, lostMask: 0 },
    ];
    const plan = planFor(units, 10 * UNIT_BYTES, 3 * UNIT_BYTES);
    expect([...plan.lengthBytes.subarray(0, plan.count)]).toEqual([8192, 4096]);
  });

  it('tells when it has more runs than room', () => {
    const units = [3, 5, 7].map((mainUnit, index) => ({ mainUnit, spareUnit: index * 2, lostMask: 0 }));
    expect(planFor(units, 0, 10 * UNIT_BYTES, 7).overflow).toBe(false);
    expect(planFor(units, 0, 10 * UNIT_BYTES, 6).overflow).toBe(true);
  });

  it('knows which stores it touches', () => {
    const plan = planFor([{ mainUnit: 3, spareUnit: 130, lostMask: 0 }], 3 * UNIT_BYTES, UNIT_BYTES);
    expect([plan.touches(0), plan.touches(1), plan.touches(2)]).toEqual([false, false, true]);
  });

  it('forgets the request before', () => {
    const units = [{ mainUnit: 0, spareUnit: 1, lostMask: 1 }];
    const { shape, table, filter } = deviceWith(units);
    const plan = new RequestPlan(1);
    planRequest(shape, table, filter, 0, 2 * UNIT_BYTES, plan);
    expect([plan.overflow, plan.firstLostOffsetBytes]).toEqual([true, 0]);
    planRequest(shape, table, filter, UNIT_BYTES, 512, plan);
    expect([plan.overflow, plan.firstLostOffsetBytes, plan.count]).toEqual([false, -1, 1]);
  });

  it('refuses a request that leaves the device', () => {
    expect(() => planFor([], MAIN_BYTES - 512, 1024)).toThrow('inside the device');
  });
});
