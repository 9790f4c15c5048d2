import { describe, expect, it } from 'vitest';
import { superblockOffsetBytes } from '../format/layout.js';
import { type Superblock, slotOf } from '../format/superblock.js';
import { dumpOf } from './testing/dump-of.js';
import { numberedDevice } from './testing/numbered-device.js';

const OTHER_SET_ID = new Uint8Array(16).fill(0x99);

/** A device whose newest superblock knows pages of the map that the one before does not know. */
function deviceWithOneMove() {
  const { rig, client } = numberedDevice({
    faults: 'main:\n  - { sectors: "0-7", on: [write], error: ENODATA }',
    spareBytes: [2 << 20],
    volatileCaches: true,
  });
  rig.open();
  expect(client.write(0, 8, 5000)).toBe(0);
  const { superblock } = rig.device!.metadata;
  rig.kill();
  return { rig, superblock, map: dumpOf(rig) };
}

function otherSet(superblock: Superblock): Superblock {
  const spares = superblock.spares.map((spare) => ({ ...spare, initialisedPageCount: 0 }));
  return { ...superblock, setId: OTHER_SET_ID, sequence: 1, generation: 0, spares };
}

describe('formatting spares of a set', () => {
  it('cut off at any write leaves that set whole, none, or the one that was wanted', () => {
    for (let cutAfter = 1; cutAfter < 60; cutAfter += 1) {
      const { rig, superblock, map } = deviceWithOneMove();
      rig.dieAfterWrites(cutAfter);
      const result = rig.formatOver(otherSet(superblock));
      // The newest superblocks are those that are zeroed for good.
      const newest = superblock.copies.map(
        (copy) => superblockOffsetBytes(copy, slotOf(superblock.sequence)) / 512,
      );
      rig.powerCut((_, sector) => newest.some((first) => sector >= first && sector < first + 8));
      const found = rig.assemble();
      const isOld = found.ok && found.value.choice.superblock.setId[0] !== OTHER_SET_ID[0];
      if (isOld) expect(dumpOf(rig), `cut after ${cutAfter} writes`).toBe(map);
      if (result !== 0) continue;
      expect(isOld).toBe(false);
      return;
    }
    expect.unreachable('it ends at last');
  });

  it('works on spares of two sets, and of none', () => {
    const { rig, superblock } = deviceWithOneMove();
    expect(rig.formatOver(otherSet(superblock))).toBe(0);
    expect(rig.assemble()).toMatchObject({ ok: true, value: { table: { mappedCount: 0 } } });
    rig.disks[1]!.contents.fill(0);
    expect(rig.formatOver(otherSet(superblock))).toBe(0);
    expect(rig.assemble().ok).toBe(true);
  });
});
