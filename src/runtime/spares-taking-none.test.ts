import { expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { numberedDevice } from '../device/testing/numbered-device.js';
import { spareUse } from './spare-use.js';
import { roomOn } from './spare-watch.js';
import { sparesTakingNone } from './spares-taking-none.js';

const BAD_SECTORS = 'main:\n  - { sectors: "0-79", on: [write], error: ENODATA }';

it('What is free on a spare that refuses units is no room, until it takes one', () => {
  const { rig, client } = numberedDevice({ spareBytes: [2 << 20], faults: BAD_SECTORS });
  const device = rig.open();
  expect(client.write(0, 8, 5000)).toBe(0);
  const before = roomOn(device);
  const { context } = device;
  // As of a sparse image on a full file system: only what has no place on the disk yet.
  rig.stores[1]!.judge = ({ kind }) => (kind === 'write' ? ERRNO.ENOSPC : 0);
  expect(client.write(8, 8, 6000)).toBe(ERRNO.EIO);
  const { freeUnits, usableUnits } = before;
  expect(sparesTakingNone(context)).toEqual([{ spareIndex: 0, freeUnits, refusal: 'ENOSPC' }]);
  expect(roomOn(device)).toEqual({ freeUnits: 0, usableUnits: usableUnits - freeUnits, isAtLimit: false });
  expect(roomOn(device, true)).toEqual(before);
  expect(spareUse(device)).toEqual([{ livingUnits: 1, freeUnits, isLeaving: false, takesUnits: false }]);
  rig.stores[1]!.judge = () => 0;
  rig.scheduler.advance(10_000);
  expect(sparesTakingNone(context)).toHaveLength(1);
  expect(client.write(8, 8, 6000)).toBe(0);
  expect(sparesTakingNone(context)).toEqual([]);
  expect(roomOn(device).freeUnits).toBe(freeUnits - 1);
});

it('A full spare takes no units', () => {
  const { rig } = numberedDevice({ spareBytes: [2 << 20, 2 << 20], faults: BAD_SECTORS });
  const device = rig.open();
  const { allocator, shape } = device.context;
  const { firstUnit, unitCount } = shape.spares[0]!;
  allocator.takeRange(firstUnit, unitCount);
  expect(sparesTakingNone(device.context)).toEqual([{ spareIndex: 0, freeUnits: 0, refusal: null }]);
  expect(spareUse(device).map(({ takesUnits }) => takesUnits)).toEqual([false, true]);
});

it('Where max_remaps is reached, that is what leaves no room, unless there is none', () => {
  const { rig, client } = numberedDevice({ spareBytes: [2 << 20], faults: BAD_SECTORS });
  const device = rig.open();
  const { policy, allocator, shape } = device.context;
  policy.maxMovedUnits = 1;
  expect(roomOn(device)).toMatchObject({ freeUnits: 1, isAtLimit: false });
  expect(client.write(0, 8, 5000)).toBe(0);
  expect(roomOn(device)).toMatchObject({ freeUnits: 0, isAtLimit: true });
  const { firstUnit, unitCount } = shape.spares[0]!;
  allocator.takeRange(firstUnit, unitCount);
  expect(roomOn(device)).toMatchObject({ freeUnits: 0, isAtLimit: false });
});
