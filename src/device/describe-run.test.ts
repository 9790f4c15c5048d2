import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { RunState } from '../ports/served-device.js';
import type { RemappedDevice } from './remapped-device.js';
import { numberedDevice } from './testing/numbered-device.js';

const { remapped, lost, hole } = RunState;

/** Just over three regions; the last unit is cut short. Nothing in the second region is special. */
const MAIN_BYTES = (3 << 20) + 1536;
const BLOCK_COUNT = MAIN_BYTES / 512;

/** Units 0, 1, 5 and the last are on a spare; blocks 41, 42 and the last of the device are lost. */
function describedDevice(): ReturnType<typeof numberedDevice> {
  const device = numberedDevice({
    mainBytes: MAIN_BYTES,
    faults: `main:\n  - { sectors: "3,8,41-42,5000,${BLOCK_COUNT - 1}", on: [read, write], error: ENODATA }`,
  });
  device.rig.open();
  for (const unit of [0, 1, 625]) expect(device.client.write(unit * 8, 8, 5000)).toBe(0);
  expect(device.client.read(40, 4)).toBe(ERRNO.EIO);
  expect(device.client.read(BLOCK_COUNT - 1, 1)).toBe(ERRNO.EIO);
  return device;
}

function expectedState(block: number): number {
  if ([41, 42, BLOCK_COUNT - 1].includes(block)) return remapped | lost;
  const unit = Math.floor(block / 8);
  return [0, 1, 5, 625, Math.floor(BLOCK_COUNT / 8)].includes(unit) ? remapped : 0;
}

/** The state of each block of a range, from runs that are asked for one behind another. */
function statesOf(
  device: RemappedDevice,
  first: number,
  count: number,
): { states: number[]; runCount: number } {
  const states: number[] = [];
  const run = { lengthBytes: 0, state: 0 };
  let runCount = 0;
  while (states.length < count) {
    device.describeRun((first + states.length) * 512, (count - states.length) * 512, run);
    expect(run.lengthBytes).toBeGreaterThan(0);
    expect(run.lengthBytes % 512).toBe(0);
    for (let block = 0; block < run.lengthBytes / 512; block += 1) states.push(run.state);
    runCount += 1;
  }
  return { states, runCount };
}

describe('the description of a range', () => {
  const { rig } = describedDevice();
  const device = rig.device!;

  it('covers every block once and says of each what it is', () => {
    const interesting = fc.constantFrom(
      0,
      3,
      8,
      16,
      40,
      41,
      43,
      48,
      2047,
      2048,
      4096,
      5000,
      6143,
      6144,
      6146,
    );
    const firsts = fc.oneof(interesting, fc.nat(BLOCK_COUNT - 1));
    fc.assert(
      fc.property(firsts, fc.nat(3000), (first, length) => {
        const count = Math.min(length + 1, BLOCK_COUNT - first);
        const { states } = statesOf(device, first, count);
        expect(states).toEqual(Array.from({ length: count }, (_, index) => expectedState(first + index)));
      }),
      { numRuns: 60 },
    );
  });

  it('has as few runs as there are changes', () => {
    const { states, runCount } = statesOf(device, 0, BLOCK_COUNT);
    const changes = states.filter((state, index) => index > 0 && state !== states[index - 1]).length;
    expect(runCount).toBe(changes + 1);
  });

  it('passes holes of the main device on, but not under units that live on a spare', () => {
    const own = describedDevice().rig;
    own.stores[0]!.allocatedRun = (_offsetBytes, lengthBytes) => -Math.min(lengthBytes, 2048);
    const { states } = statesOf(own.device!, 0, 64);
    const expected = Array.from({ length: 64 }, (_, block) => expectedState(block) || hole);
    expect(states).toEqual(expected);
  });
});
