import { expect, it } from 'vitest';
import { ERRNO } from '../../base/errno.js';
import type { DeviceOnMemory } from '../../device/testing/device-on-memory.js';
import { numberedDevice, times, touchesBlocks } from '../../device/testing/numbered-device.js';
import type { JudgedIo } from '../../device/testing/scripted-store.js';
import type { ProtectedDevice } from '../../library/device-types.js';
import { consolidate } from '../../runtime/consolidate.js';
import { emptySpare } from '../../runtime/empty-spare.js';
import { ConsolidationWork } from './consolidation-work.js';
import { EmptyingWork } from './emptying-work.js';
import type { UnitWork, WorkPart } from './unit-work.js';

const SPARE = 1;

/** Units on two spares, those of `order` in this order; the first disk takes none of them. */
function deviceWith(order: readonly number[]): DeviceOnMemory {
  const { rig, client } = numberedDevice({
    spareBytes: [2 << 20, 2 << 20],
    faults: 'main:\n  - { sectors: "0-799", on: [write], error: ENODATA }',
  });
  rig.open();
  for (const unit of order) expect(client.write(unit * 8, 8, 5000 + unit)).toBe(0);
  return rig;
}

/** What a thread does for the library, with time that passes at once. */
function deviceOf(rig: DeviceOnMemory, asked: object[]): Pick<ProtectedDevice, 'consolidate' | 'emptySpare'> {
  const answerOf = <Report>(
    begin: (done: (problem: unknown, report: Report | undefined) => void) => void,
  ): Promise<Report> =>
    new Promise((resolve) => {
      begin((_, report) => resolve(report!));
      rig.scheduler.advance(600_000);
    });
  return {
    consolidate: (call) => {
      asked.push(call);
      return answerOf((done) => consolidate(rig.device!, call, done));
    },
    emptySpare: (call) => {
      asked.push(call);
      return answerOf((done) => emptySpare(rig.device!, call, done));
    },
  };
}

/** All places of these units fail to be read. Answers the reads of whole ones, as they come. */
function spoil(rig: DeviceOnMemory, units: readonly number[]): readonly JudgedIo[] {
  const { table, shape } = rig.device!.context;
  const places = units.map((unit) => shape.spareOffsetBytes(table.find(unit)) / 512);
  const tries: JudgedIo[] = [];
  rig.stores[SPARE]!.judge = (io) => {
    if (io.kind !== 'read' || !places.some((block) => touchesBlocks(io, block, 8))) return 0;
    if (io.lengthBytes === shape.unitBytes) tries.push(io);
    return ERRNO.ENODATA;
  };
  return tries;
}

async function untilEnd(work: UnitWork, limit: number): Promise<WorkPart> {
  for (let parts = 0; parts < 100; parts += 1) {
    const part = await work.part(limit);
    if (part.next !== 'more') return part;
  }
  throw new Error('it goes on for ever');
}

it('A unit that does not move keeps no run behind its own from being put together', async () => {
  const odd = [...times(8, 0).keys()].map((nth) => 7 - nth);
  const rig = deviceWith([...odd, ...odd.map((unit) => 20 + unit)]);
  spoil(rig, [3]);
  const part = await untilEnd(new ConsolidationWork(deviceOf(rig, [])), 8);
  expect(part).toMatchObject({ done: 1, total: 2, refusals: [{ mainSector: 24 }] });
  expect(part.next).toEqual({ stuck: expect.stringContaining('sectors from 24 stay where they are') });
  const { table } = rig.device!.context;
  const places = odd.map((unit) => table.find(20 + unit) - (20 + unit));
  expect(new Set(places).size).toBe(1);
});

it('Units that can not be moved off a spare keep none behind them from it, a part at a time', async () => {
  const units = [...times(60, 0).keys()];
  const rig = deviceWith(units);
  const tries = spoil(rig, units.slice(0, 20));
  const asked: { readonly limit?: number }[] = [];
  const work = new EmptyingWork(deviceOf(rig, asked), {
    spareIndex: 0,
    acceptsLoss: false,
    toSpareIndex: undefined,
  });
  const part = await untilEnd(work, 8);
  const { table, shape } = rig.device!.context;
  const living = units.filter((unit) => shape.spareIndexOf(table.find(unit)) === 0);
  expect(living).toEqual(units.slice(0, 20).filter((unit) => living.includes(unit)));
  expect([living.length, part.done, part.total]).toEqual([20, 40, 60]);
  expect(part.next).toEqual({ stuck: expect.stringContaining("20 units can't be moved") });
  expect(Math.max(...asked.map(({ limit }) => limit!))).toBe(8);
  // Each of those that stay is tried twice, whatever the number of the others.
  expect(tries).toHaveLength(40);
});
