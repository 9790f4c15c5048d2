import { describe, expect, it } from 'vitest';
import { numberedDevice, pageOnMedium } from './testing/numbered-device.js';

describe('a clock that is wrong by centuries', () => {
  it('leaves descriptors that are the same when they are written again (found by the simulator, seed 1646)', () => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "8-15", on: [write], error: ENODATA }',
      copies: 2,
    });
    rig.scheduler.advance(4e12);
    const { superblock } = rig.open().metadata;
    expect(client.write(8, 8, 5000)).toBe(0);
    rig.kill();
    const slot = [0, 1].find((each) => pageOnMedium(rig, superblock, 1, 0, each)[40] === 2)!;
    const [right, missing] = [0, 1].map((copyIndex) => pageOnMedium(rig, superblock, copyIndex, 0, slot));
    missing!.fill(0);
    rig.open();
    rig.kill();
    // All but what says which copy it is, with the checksum.
    expect(missing!.subarray(16)).toEqual(right!.subarray(16));
    rig.open();
    expect(client.read(8, 8)).toHaveLength(8);
  });
});
