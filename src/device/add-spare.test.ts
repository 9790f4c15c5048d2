import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import { planAddedSpare } from '../format/plan-added-spare.js';
import { IncompatFeature } from '../format/superblock.js';
import { addSpare } from './add-spare.js';
import { planRepair, repairSet } from './repair-set.js';
import { stateOf } from './survey-set.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { copyOnMedium, numberedDevice, pageOnMedium, times } from './testing/numbered-device.js';
import { hasItsData, type UsedDevice, usedDevice } from './testing/used-device.js';

const NEW_UUID = new Uint8Array(16).fill(0x77);

function deviceWithFurtherDisk(options: Parameters<typeof usedDevice>[0] = {}): UsedDevice {
  return usedDevice({ spareBytes: [2 << 20, 2 << 20, 4 << 20], furtherDiskCount: 1, ...options });
}

/** Adds the next disk; what `addSpare` answers, or undefined where it did not come to its end. A UUID is of one spare only. */
function add(rig: DeviceOnMemory, uuid = NEW_UUID): number | undefined {
  const { set } = rig.survey();
  const sizeBytes = rig.disks[1 + rig.spareDisks.length]!.geometry.sizeBytes;
  const layout = planAddedSpare(set!.choice.superblock, sizeBytes);
  assert(layout.ok, 'fits');
  return rig.writeOffline(set!, (work) => addSpare(work, layout.value, uuid));
}

function repair(rig: DeviceOnMemory): void {
  const { set } = rig.survey();
  expect(rig.writeOffline(set!, (work) => repairSet(work, planRepair(set!)))).toBe(0);
}

describe('a spare that is added', () => {
  it('is part of the set: nothing else has changed, and what the others have no room for goes to it', () => {
    const used = deviceWithFurtherDisk();
    const { rig, client, superblock } = used;
    expect(add(rig)).toBe(0);
    rig.spareDisks.push(3);
    repair(rig);
    expect(stateOf(rig.survey())).toBe('clean');
    const device = rig.open();
    const after = device.metadata.superblock;
    expect(after.spares.slice(0, 2)).toMatchObject(superblock.spares.map(({ uuid }) => ({ uuid })));
    expect(after.spares[2]!.uuid).toEqual(NEW_UUID);
    expect(after.features.incompat).toBe(IncompatFeature.partialCopies);
    expect(hasItsData(used)).toBe(true);
    const { allocator, shape } = device.context;
    const [first, second] = shape.spares;
    while (allocator.allocateIn(first!.firstUnit, first!.unitCount) !== -1);
    while (allocator.allocateIn(second!.firstUnit, second!.unitCount) !== -1);
    rig.stores[0]!.judge = ({ kind, offsetBytes }) =>
      kind === 'write' && offsetBytes === 30 * 4096 ? ERRNO.ENODATA : 0;
    expect(client.write(240, 8, 7000)).toBe(0);
    expect(shape.targetOf(device.context.table.find(30))).toBe(3);
    rig.kill();
    rig.open();
    expect(client.read(240, 8)).toEqual(times(8, 7000));
    expect(hasItsData(used)).toBe(true);
  });

  it('holds the whole map: the copies on it are enough', () => {
    const used = deviceWithFurtherDisk();
    const { rig, superblock } = used;
    expect(add(rig)).toBe(0);
    rig.spareDisks.push(3);
    repair(rig);
    for (const copy of superblock.copies.keys()) copyOnMedium(rig, superblock, copy).fill(0xa5, 16_384);
    rig.open();
    expect(hasItsData(used)).toBe(true);
  });

  it('can be missing when the set is looked at: of its own places only its copies know, of the others all do', () => {
    const used = deviceWithFurtherDisk();
    const { rig } = used;
    expect(add(rig)).toBe(0);
    rig.spareDisks.push(3);
    const { context } = rig.open();
    for (const spareIndex of [0, 1]) context.suspension.setLeaving(spareIndex, true);
    let moved: number | undefined;
    rig.device!.byHand.move(60, -1, (errno) => {
      moved = errno;
    });
    rig.scheduler.advance(1000);
    expect(moved).toBe(0);
    rig.kill();
    rig.spareDisks.pop();
    const { set } = rig.survey();
    expect(set!.load.lostPages).toEqual([]);
    expect(set!.load.outOfReachPages.length).toBeGreaterThan(0);
    expect(set!.table.find(0)).not.toBe(-1);
    expect(set!.table.find(60)).toBe(-1);
    expect(rig.assemble()).toMatchObject({ ok: false, error: { kind: 'spareMissing' } });
  });

  it('is in the set or not, and no data is lost, when the power fails at any write', () => {
    const outcomes = new Set<string>();
    for (let cutAfter = 0; cutAfter < 40; cutAfter += 1) {
      const used = deviceWithFurtherDisk({ copies: 8, volatileCaches: true });
      const { rig } = used;
      rig.dieAfterWrites(cutAfter);
      const result = add(rig);
      const bit = xorshift(cutAfter + 1);
      rig.powerCut(() => bit() % 2 === 0);
      const withoutIt = rig.survey();
      const isIn = withoutIt.set!.choice.superblock.spares.length === 3;
      outcomes.add(`${result} ${isIn ? 'in' : 'out'}`);
      // Once it is told, it is so; and whatever happened, the old spares with or without the new one make the set.
      if (result === 0) expect(isIn).toBe(true);
      if (isIn) rig.spareDisks.push(3);
      rig.open();
      expect(hasItsData(used), `cut after ${cutAfter} writes`).toBe(true);
      rig.kill();
      if (!isIn) {
        expect(add(rig), 'a second attempt').toBe(0);
        rig.spareDisks.push(3);
        rig.open();
        expect(hasItsData(used)).toBe(true);
      }
    }
    expect([...outcomes].sort()).toEqual(['0 in', 'undefined in', 'undefined out']);
  });

  it('does not bring back a map of the set that it was part of before', () => {
    const used = deviceWithFurtherDisk();
    const { rig, client } = used;
    expect(add(rig)).toBe(0);
    rig.spareDisks.push(3);
    rig.open();
    for (let unit = 0; unit < 20; unit += 1) expect(client.write(unit * 8, 8, 5000 + unit)).toBe(0);
    rig.kill();
    const { superblock } = rig.survey().set!.choice;
    const stale = superblock.copies.findIndex(({ spareIndex }) => spareIndex === 2);
    const page = pageOnMedium(rig, superblock, stale, 0, 0);
    expect(page.some((byte) => byte !== 0)).toBe(true);
    // The same disk again, for a set like the one before, whose superblocks are gone.
    const fresh = deviceWithFurtherDisk();
    fresh.rig.disks[3]!.contents.set(rig.disks[3]!.contents);
    expect(add(fresh.rig)).toBe(0);
    expect(pageOnMedium(fresh.rig, superblock, stale, 0, 0).every((byte) => byte === 0)).toBe(true);
  });

  it('is refused by the set when it does not take its own copies, and the set is as it was', () => {
    const used = deviceWithFurtherDisk();
    const { rig, superblock } = used;
    rig.stores[3]!.judge = ({ kind }) => (kind === 'write' ? ERRNO.EIO : 0);
    expect(add(rig)).toBe(ERRNO.EIO);
    expect(rig.survey().set!.choice.superblock.sequence).toBe(superblock.sequence);
    rig.open();
    expect(hasItsData(used)).toBe(true);
  });
});

it('all spares of a set can be added one after the other', () => {
  const spareBytes = [2, 2, 4, 3, 8, 5, 6, 8].map((mebibytes) => mebibytes << 20);
  const { rig, client } = numberedDevice({ spareBytes, furtherDiskCount: 7 });
  while (rig.spareDisks.length < 8) {
    expect(add(rig, new Uint8Array(16).fill(0x70 + rig.spareDisks.length))).toBe(0);
    rig.spareDisks.push(rig.spareDisks.length + 1);
    repair(rig);
    expect(stateOf(rig.survey())).toBe('clean');
    rig.open();
    expect(client.write(rig.spareDisks.length * 8, 8, rig.spareDisks.length)).toBe(0);
    rig.kill();
  }
  rig.open();
  for (let count = 2; count <= 8; count += 1) expect(client.read(count * 8, 8)).toEqual(times(8, count));
});
