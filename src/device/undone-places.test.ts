import { expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { numberedDevice, times } from './testing/numbered-device.js';

const MIB = 1 << 20;
const SPARE = 1;

it.each([
  ['wait', 30_000],
  ['fail', 0],
])('A unit that moves while a flush of its spare fails once is placed again, and the write does not fail: requests %s', (_name, holdMs) => {
  const { rig, client } = numberedDevice({
    spareBytes: [4 * MIB, 4 * MIB],
    onGone: { holdMs },
    faults: 'main:\n  - { sectors: "800-807", on: [write], error: ENODATA }',
  });
  rig.open();
  let isOver = false;
  rig.stores[SPARE]!.judge = ({ kind }) => {
    if (kind !== 'flush' || isOver) return 0;
    isOver = true;
    return ERRNO.EIO;
  };
  expect(client.write(800, 8, 9000)).toBe(0);
  expect(isOver).toBe(true);
  rig.kill();
  rig.open();
  expect(client.read(800, 8)).toEqual(times(8, 9000));
});
