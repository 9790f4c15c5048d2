import { expect, it } from 'vitest';
import { numberedDevice } from '../device/testing/numbered-device.js';
import { emptySpare, keepSpare } from './empty-spare.js';
import { moveByHand, type SparePlace } from './hand-calls.js';
import type { HandReport } from './hand-turns.js';
import { spareUse } from './spare-use.js';

it('No wish for a place brings a unit to a spare that is being emptied', () => {
  const { rig } = numberedDevice({ spareBytes: [2 << 20, 2 << 20] });
  const device = rig.open();
  const reports: (HandReport | undefined)[] = [];
  const move = (firstSector: number, place?: SparePlace): void => {
    moveByHand(device, { firstSector, sectorCount: 8 }, place, (_, report) => reports.push(report));
    rig.scheduler.advance(1000);
  };
  const place = { spareIndex: 0, spareSector: 1600 };
  emptySpare(device, { spareIndex: 0, limit: 1000, acceptsLoss: false }, () => {});
  rig.scheduler.advance(1000);
  move(0, place);
  const [refusal] = reports[0]!.refusals;
  expect(refusal).toEqual({
    mainSector: 0,
    reason: expect.stringContaining('is being emptied'),
    failure: 'refused',
  });
  move(0);
  const living = (): number[] => spareUse(device).map(({ livingUnits }) => livingUnits);
  expect(living()).toEqual([0, 1]);
  keepSpare(device, 0);
  move(8, place);
  expect(living()).toEqual([1, 1]);
});

it('Says whether room is wanting, or the setting max_remaps lets no more units move', () => {
  const { rig } = numberedDevice({ spareBytes: [2 << 20] });
  const device = rig.open();
  const reasons: (string | undefined)[] = [];
  const move = (firstSector: number): void => {
    moveByHand(device, { firstSector, sectorCount: 8 }, undefined, (_, report) =>
      reasons.push(report?.refusals[0]?.reason),
    );
    rig.scheduler.advance(1000);
  };
  const { allocator, policy, shape } = device.context;
  policy.maxMovedUnits = 1;
  move(0);
  move(8);
  policy.maxMovedUnits = Number.POSITIVE_INFINITY;
  const { firstUnit, unitCount } = shape.spares[0]!;
  while (allocator.freeIn(firstUnit, unitCount) > 0) allocator.allocateIn(firstUnit, unitCount);
  move(8);
  expect(reasons).toEqual([undefined, 'max_remaps allows no more units on spares', 'no spare has room']);
});

it('A long list ends soon when the device is to be closed, and says so', () => {
  const faults = 'main:\n  - { sectors: "0-1599", on: [read], delayMs: 10 }';
  const { rig } = numberedDevice({ spareBytes: [2 << 20], faults });
  const device = rig.open();
  const reports: (HandReport | undefined)[] = [];
  const note = (_: unknown, report: HandReport | undefined): void => void reports.push(report);
  moveByHand(device, { firstSector: 0, sectorCount: 800 }, undefined, note);
  moveByHand(device, { firstSector: 800, sectorCount: 800 }, undefined, note);
  while (device.context.table.mappedCount < 3) rig.scheduler.advance(1);
  expect(device.isIdle).toBe(false);
  device.endHolding();
  rig.scheduler.advance(100);
  expect(device.isIdle).toBe(true);
  const closed = { reason: expect.stringContaining('is being closed') };
  expect(reports).toHaveLength(2);
  for (const report of reports) expect(report!.refusals).toEqual([expect.objectContaining(closed)]);
  expect(reports.map((report) => report!.doneCount)).toEqual([2, 2]);
  expect(device.context.table.mappedCount).toBe(4);
});

it('A move that waits its turn does not land on a spare whose emptying begins meanwhile, whatever it waits for', () => {
  // Queued behind the first one; and, the first one itself, while its unit is being read.
  const { rig } = numberedDevice({
    spareBytes: [2 << 20, 2 << 20],
    faults: 'main:\n  - { sectors: "0-7", on: [read], delayMs: 500 }',
  });
  const device = rig.open();
  const reports: (HandReport | undefined)[] = [];
  for (const firstSector of [0, 8])
    moveByHand(
      device,
      { firstSector, sectorCount: 8 },
      { spareIndex: 0, spareSector: 1600 + firstSector },
      (_, report) => reports.push(report),
    );
  rig.scheduler.advance(100);
  emptySpare(device, { spareIndex: 0, limit: 0, acceptsLoss: false }, () => {});
  rig.scheduler.advance(1000);
  expect(reports.map((report) => report!.refusals.length)).toEqual([1, 1]);
  expect(spareUse(device).map(({ livingUnits }) => livingUnits)).toEqual([0, 0]);
});
