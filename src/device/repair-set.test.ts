import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { crc32 } from '../base/crc32.js';
import { ERRNO } from '../base/errno.js';
import { noteOffsetBytes, TEXT_NOTE_BYTES } from '../format/layout.js';
import { seal } from '../format/sealed-block.js';
import { slotOf } from '../format/superblock.js';
import { isEmptyPlan, planRepair, repairSet } from './repair-set.js';
import { stateOf } from './survey-set.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { dumpOf } from './testing/dump-of.js';
import {
  copyOnMedium,
  pageOnMedium,
  superblockOnMedium,
  touchesMetadata,
} from './testing/numbered-device.js';
import { hasItsData, type UsedDevice, usedDevice } from './testing/used-device.js';

function repair(rig: DeviceOnMemory): number | undefined {
  const { set } = rig.survey();
  return rig.writeOffline(set!, (work) => repairSet(work, planRepair(set!)));
}

/** Nothing is left to repair, the map is what it was, and the data is where it says. */
function expectWhole(used: UsedDevice): void {
  const { rig, map } = used;
  const survey = rig.survey();
  expect(survey.set!.findings).toEqual([]);
  expect(stateOf(survey)).toBe('clean');
  expect(isEmptyPlan(planRepair(survey.set!))).toBe(true);
  expect(dumpOf(rig)).toBe(map);
  rig.open();
  expect(hasItsData(used)).toBe(true);
  rig.close();
}

const random = xorshift(4711);
const DAMAGE: readonly [string, (bytes: Uint8Array) => void][] = [
  ['zeroed', (bytes) => bytes.fill(0)],
  ['overwritten', (bytes) => bytes.fill(0xa5)],
  [
    'rotten',
    (bytes) => {
      for (let at = 0; at < bytes.length; at += 512)
        bytes[at + 100 + (random() % 400)]! ^= 1 << (random() % 8);
    },
  ],
];

describe('a set that nothing is wrong with', () => {
  it('is clean, and there is nothing to repair', () => {
    const used = usedDevice();
    expectWhole(used);
    expectWhole(used);
  });
});

describe('a set of which the newest version of a page is zero in all copies', () => {
  it('is doubtful, and good as it is once a repair has accepted that', () => {
    const { rig, superblock } = usedDevice();
    rig.open();
    rig.close();
    const { metadata } = rig.survey().set!;
    for (const copy of superblock.copies.keys())
      pageOnMedium(rig, superblock, copy, 0, slotOf(metadata.pageSequences[0]!)).fill(0);
    expect(stateOf(rig.survey())).toBe('doubtful');
    expect(repair(rig)).toBe(0);
    const survey = rig.survey();
    expect([stateOf(survey), isEmptyPlan(planRepair(survey.set!))]).toEqual(['clean', true]);
  });
});

describe.each(DAMAGE)('a set of which all copies but one are %s', (_name, damage) => {
  it.each([0, 1, 2, 3, 4])('is repaired from copy %i, with nothing else changed', (survivor) => {
    const used = usedDevice({ spareBytes: [4 << 20] });
    const { rig, superblock } = used;
    const mainBefore = crc32(rig.disks[0]!.contents);
    for (let copy = 0; copy < 5; copy += 1)
      if (copy !== survivor) damage(copyOnMedium(rig, superblock, copy));
    const before = rig.survey();
    expect(stateOf(before)).toBe('damaged');
    expect(new Set(before.set!.findings.map((finding) => finding.copyIndex)).size).toBe(4);
    const wasClean = before.set!.choice.superblock.cleanShutdown;
    expect(repair(rig)).toBe(0);
    expect(rig.survey().set!.choice.superblock).toMatchObject({
      cleanShutdown: wasClean,
      openCount: superblock.openCount,
    });
    expect(crc32(rig.disks[0]!.contents)).toBe(mainBefore);
    expectWhole(used);
  });
});

describe('looking at a set', () => {
  it('writes nothing', () => {
    const { rig, superblock } = usedDevice();
    copyOnMedium(rig, superblock, 1).fill(0);
    const before = rig.disks.map((disk) => crc32(disk.contents));
    rig.survey();
    expect(rig.disks.map((disk) => crc32(disk.contents))).toEqual(before);
  });

  it('names the block that is wrong, and what is done about it', () => {
    const { rig, superblock } = usedDevice();
    const current = slotOf(superblock.sequence);
    superblockOnMedium(rig, superblock, 2, current)[100]! ^= 1;
    superblockOnMedium(rig, superblock, 3, 1 - current).fill(0x44, 512);
    expect(rig.survey().set!.findings).toEqual([
      {
        block: 'superblock',
        copyIndex: 2,
        slot: current,
        firstPage: 0,
        pageCount: 1,
        state: 'badChecksum',
        isCurrentSlot: true,
      },
      {
        block: 'superblock',
        copyIndex: 3,
        slot: 1 - current,
        firstPage: 0,
        pageCount: 1,
        state: 'badChecksum',
        isCurrentSlot: false,
      },
    ]);
  });

  it('tells of a superblock with impossible numbers where the next one goes: it may be the newest', () => {
    const used = usedDevice({ spareBytes: [4 << 20] });
    const { rig, superblock } = used;
    const [current, next] = [slotOf(superblock.sequence), 1 - slotOf(superblock.sequence)];
    const block = superblockOnMedium(rig, superblock, 2, next);
    block.set(superblockOnMedium(rig, superblock, 2, current).slice());
    block.fill(0xff, 48, 56);
    seal(block);
    expect(rig.survey().set!.findings).toMatchObject([{ copyIndex: 2, slot: next, state: 'implausible' }]);
    expect(repair(rig)).toBe(0);
    expectWhole(used);
  });

  it('tells an unreadable copy from a damaged one, and a repair that it does not take from one that it does', () => {
    const used = usedDevice({ spareBytes: [4 << 20] });
    const { rig, superblock } = used;
    const isOfCopy1 = (io: { offsetBytes: number }): boolean => {
      const { offsetBytes, pageCapacity } = superblock.copies[1]!;
      return io.offsetBytes >= offsetBytes && io.offsetBytes < offsetBytes + 16384 + 8192 * pageCapacity;
    };
    rig.stores[1]!.judge = (io) => (touchesMetadata(io, superblock, 1) && isOfCopy1(io) ? ERRNO.ENODATA : 0);
    const states = rig.survey().set!.findings.map(({ copyIndex, state }) => `${copyIndex} ${state}`);
    expect(new Set(states)).toEqual(new Set(['1 unreadable']));
    expect(repair(rig)).toBe(0);
    expect(stateOf(rig.survey())).toBe('damaged');
    rig.stores[1]!.judge = () => 0;
    expect(repair(rig)).toBe(0);
    expectWhole(used);
  });

  it('finds a text note that is damaged, and the repair writes it anew', () => {
    const used = usedDevice();
    const { rig, superblock } = used;
    const copy = superblock.copies[3]!;
    const at = noteOffsetBytes(copy);
    rig.disks[1 + copy.spareIndex]!.contents.fill(0x58, at + 10, at + TEXT_NOTE_BYTES);
    expect(rig.survey().set!.notes).toEqual(['current', 'current', 'current', 'different', 'current']);
    expect(stateOf(rig.survey())).toBe('damaged');
    expect(repair(rig)).toBe(0);
    expectWhole(used);
  });
});

describe('a map of which a page is gone on every copy', () => {
  function withoutFirstPage(): UsedDevice {
    const used = usedDevice({ spareBytes: [4 << 20] });
    const { rig, superblock } = used;
    for (const copy of superblock.copies.keys())
      for (const slot of [0, 1]) pageOnMedium(rig, superblock, copy, 0, slot).fill(0x77, 20);
    return used;
  }

  it('is unusable, and what was lost is named', () => {
    const survey = withoutFirstPage().rig.survey();
    expect(stateOf(survey)).toBe('unusable');
    expect(survey.set!.load.lostPages).toEqual([0]);
  });

  it('is repaired as far as it goes, and nothing is made up in the place of what is gone', () => {
    const { rig, superblock } = withoutFirstPage();
    copyOnMedium(rig, superblock, 2).fill(0);
    expect(repair(rig)).toBe(0);
    const { set } = rig.survey();
    expect(planRepair(set!).lostPages).toEqual([0]);
    const left = set!.findings.filter(({ copyIndex, firstPage }) => copyIndex === 2 && firstPage > 0);
    expect(left).toEqual([]);
    expect(pageOnMedium(rig, superblock, 1, 0, 0)[100]).toBe(0x77);
    expect(rig.assemble().ok).toBe(false);
  });
});

describe('a repair that the power cuts off', () => {
  it('has made durable before what it writes over the version before (found by the simulator)', () => {
    const { rig } = usedDevice();
    const { set } = rig.survey();
    const changes: string[] = [];
    for (const [target, store] of rig.stores.entries()) {
      store.judge = ({ kind }) => {
        if (kind !== 'read') changes.push(`${kind} ${target}`);
        return 0;
      };
    }
    rig.writeOffline(set!, (work) => repairSet(work, { ...planRepair(set!), updatesSuperblockTwice: true }));
    expect(changes.slice(0, 2).sort()).toEqual(['flush 1', 'flush 2']);
    expect(changes[2]).toMatch(/^write/);
  });

  it('leaves the set with its map at every write', () => {
    for (let cutAfter = 1; cutAfter < 200; cutAfter += 1) {
      const used = usedDevice({ spareBytes: [2 << 20], copies: 3, volatileCaches: true });
      const { rig, superblock } = used;
      copyOnMedium(rig, superblock, 0).fill(0);
      superblockOnMedium(rig, superblock, 1, 1 - slotOf(superblock.sequence)).fill(1, 100);
      const { set } = rig.survey();
      let isDone = false;
      rig.dieAfterWrites(cutAfter);
      rig.writeOffline(set!, function* (work) {
        yield* repairSet(work, planRepair(set!));
        isDone = true;
      });
      const bit = xorshift(cutAfter);
      rig.powerCut(() => bit() % 2 === 0);
      expect(dumpOf(rig), `cut after ${cutAfter} writes`).toBe(used.map);
      if (isDone) return;
    }
    expect.unreachable('it ends at last');
  });

  it('leaves a set that was stopped cleanly one that starts (found by the simulator)', () => {
    for (let cutAfter = 1; cutAfter < 200; cutAfter += 1) {
      const used = usedDevice({ spareBytes: [2 << 20], copies: 3, volatileCaches: true });
      const { rig } = used;
      rig.open();
      rig.close();
      const { set: clean } = rig.survey();
      const { superblock } = clean!.choice;
      expect(superblock.cleanShutdown).toBe(true);
      pageOnMedium(rig, superblock, 0, 0, 1 - slotOf(clean!.metadata.pageSequences[0]!)).fill(1, 100);
      const { set } = rig.survey();
      expect(planRepair(set!).pagesWrittenTwice).toEqual([0]);
      rig.dieAfterWrites(cutAfter);
      const errno = rig.writeOffline(set!, (work) => repairSet(work, planRepair(set!)));
      // Every page that is not flushed is torn.
      rig.powerCut((_target, sector) => sector % 8 === 0);
      expect(rig.assemble().ok, `cut after ${cutAfter} writes`).toBe(true);
      if (errno !== 0) continue;
      expect(rig.survey().set!.choice.superblock.cleanShutdown).toBe(true);
      return;
    }
    expect.unreachable('it ends at last');
  });
});
