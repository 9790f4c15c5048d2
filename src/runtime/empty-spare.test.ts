import { expect, it } from 'vitest';
import { numberedDevice, times } from '../device/testing/numbered-device.js';
import { type EmptyReport, emptySpare, keepSpare } from './empty-spare.js';
import { spareUse } from './spare-use.js';
import { roomOn } from './spare-watch.js';

const ALL = { limit: 1000, acceptsLoss: false };

it('One spare at least goes on taking units: the last one of several is not emptied', () => {
  const { rig, client } = numberedDevice({
    spareBytes: [2 << 20, 2 << 20],
    faults: 'main:\n  - { sectors: "0-15", on: [write], error: ENODATA }',
  });
  const device = rig.open();
  const problems: (string | undefined)[] = [];
  const empty = (spareIndex: number): void => {
    emptySpare(device, { spareIndex, ...ALL }, (problem) => problems.push(problem?.message));
    rig.scheduler.advance(1000);
  };
  empty(0);
  empty(1);
  expect(problems).toEqual([undefined, expect.stringContaining('all other spares are being emptied')]);
  expect(client.write(0, 8, 5000)).toBe(0);
  keepSpare(device, 0);
  empty(1);
  expect(problems.at(-1)).toBeUndefined();
  expect(client.write(8, 8, 6000)).toBe(0);
});

it('A spare that the set does not have is neither emptied nor filled', () => {
  const { rig } = numberedDevice({ spareBytes: [2 << 20, 2 << 20] });
  const device = rig.open();
  const answers: (string | undefined)[] = [];
  for (const odd of [-1, 0.5, Number.NaN, 2]) {
    const note = (problem: { failure: string } | undefined) => answers.push(problem?.failure);
    emptySpare(device, { spareIndex: odd, ...ALL }, note);
    emptySpare(device, { spareIndex: 0, toSpareIndex: odd, ...ALL }, note);
  }
  expect(answers).toEqual(times(8, 'usage'));
  expect(device.context.suspension.leaving.size).toBe(0);
});

it('How far it is can be seen, and what is free on the spare is no room for bad sectors', () => {
  const { rig, client } = numberedDevice({
    spareBytes: [2 << 20, 3 << 20],
    faults: 'main:\n  - { sectors: "0-79", on: [write], error: ENODATA }',
  });
  const device = rig.open();
  for (let unit = 0; unit < 10; unit += 1) expect(client.write(unit * 8, 8, 5000)).toBe(0);
  const { suspension, allocator, shape } = device.context;
  const before = roomOn(device);
  const reports: (EmptyReport | undefined)[] = [];
  const empty = (limit: number): void => {
    emptySpare(device, { spareIndex: 0, ...ALL, limit }, (_, report) => reports.push(report));
  };
  empty(4);
  expect([...suspension.leaving]).toEqual([[0, { movedUnits: 0, leftUnits: 10 }]]);
  rig.scheduler.advance(1000);
  expect([...suspension.leaving]).toEqual([[0, { movedUnits: 4, leftUnits: 6 }]]);
  empty(100);
  rig.scheduler.advance(1000);
  expect([...suspension.leaving]).toEqual([[0, { movedUnits: 10, leftUnits: 0 }]]);
  expect(reports.map((report) => report?.leftCount)).toEqual([6, 0]);
  const other = shape.spares[1]!;
  expect(roomOn(device).freeUnits).toBe(allocator.freeIn(other.firstUnit, other.unitCount));
  expect(roomOn(device).usableUnits).toBe(roomOn(device).freeUnits + 10);
  keepSpare(device, 0);
  expect(suspension.leaving.size).toBe(0);
  expect(roomOn(device)).toEqual(before);
});

it('Units go to the spare that is named, while it takes them, and to the others then', () => {
  const { rig, client } = numberedDevice({
    spareBytes: [2 << 20, 2 << 20, 2 << 20],
    faults: 'main:\n  - { sectors: "0-79", on: [write], error: ENODATA }',
  });
  const device = rig.open();
  for (let unit = 0; unit < 10; unit += 1) expect(client.write(unit * 8, 8, 5000 + unit)).toBe(0);
  const { allocator, shape } = device.context;
  const living = (): number[] => spareUse(device).map(({ livingUnits }) => livingUnits);
  const empty = (spareIndex: number, toSpareIndex?: number): void => {
    emptySpare(device, { spareIndex, ...ALL, toSpareIndex }, () => {});
    rig.scheduler.advance(1000);
  };
  expect(living()).toEqual([10, 0, 0]);
  empty(0, 2);
  expect(living()).toEqual([0, 0, 10]);
  expect(spareUse(device).map(({ takesUnits }) => takesUnits)).toEqual([false, true, true]);
  keepSpare(device, 0);
  const { firstUnit, unitCount } = shape.spares[1]!;
  while (allocator.freeIn(firstUnit, unitCount) > 4) allocator.allocateIn(firstUnit, unitCount);
  empty(2, 1);
  expect(living()).toEqual([6, 4, 0]);
  expect(spareUse(device)[1]).toEqual({
    ...{ livingUnits: 4, freeUnits: 0, isLeaving: false, takesUnits: false },
  });
  for (let unit = 0; unit < 10; unit += 1) expect(client.read(unit * 8, 8)).toEqual(times(8, 5000 + unit));
});
