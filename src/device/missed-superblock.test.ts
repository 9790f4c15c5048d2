import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { superblockOffsetBytes } from '../format/layout.js';
import { slotOf } from '../format/superblock.js';
import { DeviceOnMemory } from './testing/device-on-memory.js';
import { writeSuperblock } from './write-superblock.js';

describe('a spare that has missed an update of the superblock', () => {
  it('gets it before the next one, also if its first flush after that fails (seed 3816944701)', () => {
    const rig = new DeviceOnMemory({ mainBytes: 256 << 10, spareBytes: [1 << 20, 1 << 20] });
    rig.format(2);
    const { metadata } = rig.open();
    const places = [0, 1].map((slot) => superblockOffsetBytes(metadata.superblock.copies[1]!, slot));
    const next = slotOf(metadata.superblock.sequence + 1);
    const story: string[] = [];
    let failures = 2;
    rig.stores[2]!.judge = ({ kind, offsetBytes }) => {
      if (kind === 'read') return 0;
      const fails = kind === 'flush' && failures-- > 0;
      const update = places.indexOf(offsetBytes) === next ? 'first' : 'second';
      story.push(kind === 'flush' ? `flush ${fails ? 'fails' : 'works'}` : `write ${update}`);
      return fails ? ERRNO.EIO : 0;
    };
    for (let update = 0; update < 2; update += 1)
      metadata.run(
        (work) => writeSuperblock(work, {}),
        () => {},
      );
    rig.scheduler.advance(1000);
    const failed = ['write first', 'flush fails'];
    const worked = ['write first', 'flush works', 'write second', 'flush works'];
    expect(story).toEqual([...failed, ...failed, ...worked]);
  });

  it('gets it before the next one, which may be cut off (found by the simulator, seed 573)', () => {
    const rig = new DeviceOnMemory({ mainBytes: 256 << 10, spareBytes: [1 << 20, 1 << 20] });
    rig.format(2);
    const device = rig.open();
    let updates = 0;
    rig.stores[1]!.judge = ({ kind }) => {
      if (kind === 'write') updates += 1;
      return 0;
    };
    let hasMissedOne = false;
    rig.stores[2]!.judge = ({ kind }) => {
      if (kind !== 'write' || (hasMissedOne && updates < 2)) return 0;
      hasMissedOne = true;
      return ERRNO.EIO;
    };
    const results: number[] = [];
    for (let update = 0; update < 2; update += 1)
      device.metadata.run(
        (work) => writeSuperblock(work, {}),
        (result) => results.push(result),
      );
    for (let turn = 0; results.length < 2 && turn < 100; turn += 1) rig.scheduler.advance(1);
    expect([results, hasMissedOne]).toEqual([[0, 0], true]);
    for (const store of rig.stores) store.judge = () => 0;
    rig.kill();
    const { sequence } = rig.open().metadata.superblock;
    expect(sequence).toBeGreaterThan(2);
  });
});

describe('an update of the superblock that no spare takes', () => {
  it('is followed by one that leaves the last durable superblock where it is (rule W2)', () => {
    const rig = new DeviceOnMemory({ mainBytes: 256 << 10, spareBytes: [1 << 20] });
    rig.format(1);
    const { metadata } = rig.open();
    const places = [0, 1].map((slot) => superblockOffsetBytes(metadata.superblock.copies[0]!, slot));
    const lastDurable = slotOf(metadata.superblock.sequence);
    const written: number[] = [];
    rig.stores[1]!.judge = ({ kind, offsetBytes }) => {
      if (kind !== 'write') return 0;
      written.push(places.indexOf(offsetBytes));
      return written.length === 1 ? ERRNO.EIO : 0;
    };
    const results: number[] = [];
    for (let update = 0; update < 2; update += 1)
      metadata.run(
        (work) => writeSuperblock(work, {}),
        (result) => results.push(result),
      );
    rig.scheduler.advance(1000);
    expect(results).toEqual([ERRNO.EIO, 0]);
    expect(written).toEqual([1 - lastDurable, 1 - lastDurable]);
  });
});
