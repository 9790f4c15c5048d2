import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import { DescriptorState } from '../format/descriptor-page.js';
import { planAddedSpare } from '../format/plan-added-spare.js';
import { planRemovedSpare } from '../format/plan-removed-spare.js';
import { addSpare } from './add-spare.js';
import { removeSpare } from './remove-spare.js';
import { planRepair, repairSet } from './repair-set.js';
import { stateOf } from './survey-set.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, times } from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';

const UNIT_COUNT = 40;

/** Three spares, with units on all of them: 40 were written to places that the main device refuses. */
function deviceWithThree(options: { copies?: number; volatileCaches?: boolean } = {}) {
  const { rig, client } = numberedDevice({
    spareBytes: [2 << 20, 3 << 20, 2 << 20],
    faults: 'main:\n  - { sectors: "0-319", on: [write], error: ENODATA }',
    ...options,
  });
  const { context } = rig.open();
  for (let unit = 0; unit < UNIT_COUNT; unit += 1) {
    for (const spareIndex of [0, 1, 2]) context.suspension.setLeaving(spareIndex, unit % 3 !== spareIndex);
    assert(client.write(unit * 8, 8, 5000 + unit) === 0, 'is written to a spare');
  }
  for (const spareIndex of [0, 1, 2]) context.suspension.setLeaving(spareIndex, false);
  return { rig, client };
}

function isWhole(client: TestClient): boolean {
  return Array.from({ length: UNIT_COUNT }, (_, unit) => client.read(unit * 8, 8)).every(
    (found, unit) => Array.isArray(found) && found.join() === times(8, 5000 + unit).join(),
  );
}

function empty(rig: DeviceOnMemory, spareIndex: number, unitCount = UNIT_COUNT): void {
  const { context } = rig.device!;
  context.suspension.setLeaving(spareIndex, true);
  for (let unit = 0; unit < unitCount; unit += 1) {
    const place = context.table.find(unit);
    if (context.shape.spareIndexOf(place) !== spareIndex) continue;
    expect(byHand(rig, (done) => rig.device!.byHand.moveAway(unit, spareIndex, false, done))).toBe(0);
    expect(context.shape.spareIndexOf(context.table.find(unit))).not.toBe(spareIndex);
  }
}

function byHand(rig: DeviceOnMemory, begin: (done: (errno: number) => void) => void): number | undefined {
  let outcome: number | undefined;
  begin((errno) => {
    outcome = errno;
  });
  rig.scheduler.advance(1000);
  return outcome;
}

function remove(rig: DeviceOnMemory, spareIndex: number): number | undefined {
  const { set } = rig.survey();
  const plan = planRemovedSpare(set!.choice.superblock, spareIndex);
  return rig.writeOffline(set!, (work) => removeSpare(work, plan, spareIndex));
}

function repair(rig: DeviceOnMemory): void {
  const { set } = rig.survey();
  expect(rig.writeOffline(set!, (work) => repairSet(work, planRepair(set!)))).toBe(0);
}

/** By state, how many places of this spare are in it. */
function placesOf(rig: DeviceOnMemory, spareIndex: number) {
  const { shape, table, allocator } = rig.device!.context;
  const { firstUnit, unitCount } = shape.spares[spareIndex]!;
  const places = Array.from({ length: unitCount }, (_, nth) => firstUnit + nth);
  const countOf = (state: number): number => places.filter((place) => table.state(place) === state).length;
  return {
    mapped: countOf(DescriptorState.mapped),
    retired: countOf(DescriptorState.retired),
    handedOut: places.filter((place) => !allocator.isTaken(place)).length,
  };
}

describe('a spare that is emptied', () => {
  it('has all of its places free again, at once and after a start, and they serve other units', () => {
    const { rig, client } = deviceWithThree();
    const before = placesOf(rig, 1);
    empty(rig, 1);
    const emptied = { mapped: 0, retired: 0, handedOut: before.handedOut + before.mapped };
    expect(placesOf(rig, 1)).toEqual(emptied);
    rig.kill();
    const { suspension } = rig.open().context;
    expect(placesOf(rig, 1)).toEqual(emptied);
    for (const spareIndex of [0, 2]) suspension.setLeaving(spareIndex, true);
    for (let unit = 0; unit < UNIT_COUNT; unit += 1)
      if (rig.device!.context.shape.spareIndexOf(rig.device!.context.table.find(unit)) === 0)
        byHand(rig, (done) => rig.device!.byHand.moveAway(unit, 0, false, done));
    expect(placesOf(rig, 0)).toMatchObject({ mapped: 0, retired: 0 });
    expect(placesOf(rig, 1).mapped).toBeGreaterThan(0);
    rig.kill();
    rig.open();
    expect(isWhole(client)).toBe(true);
  });

  it('keeps the units that are still to be moved if it is to take units again', () => {
    const { rig } = deviceWithThree();
    const { context } = rig.device!;
    const unit = Array.from({ length: UNIT_COUNT }, (_, each) => each).find(
      (each) => context.shape.spareIndexOf(context.table.find(each)) === 1,
    )!;
    const place = context.table.find(unit);
    expect(byHand(rig, (done) => rig.device!.byHand.moveAway(unit, 1, false, done))).toBe(ERRNO.ENOENT);
    expect(context.table.find(unit)).toBe(place);
  });

  it('keeps a place retired that did not give all of its unit', () => {
    const { rig } = deviceWithThree();
    const { table, shape, suspension } = rig.device!.context;
    const unit = Array.from({ length: UNIT_COUNT }, (_, each) => each).find(
      (each) => shape.spareIndexOf(table.find(each)) === 1,
    )!;
    const place = table.find(unit);
    const at = shape.spareOffsetBytes(place);
    rig.stores[2]!.judge = ({ kind, offsetBytes }) =>
      kind === 'read' && offsetBytes === at ? ERRNO.ENODATA : 0;
    suspension.setLeaving(1, true);
    expect(byHand(rig, (done) => rig.device!.byHand.moveAway(unit, 1, true, done))).toBe(0);
    expect(table.state(place)).toBe(DescriptorState.retired);
  });

  it('loses nothing when the power fails at any write', () => {
    for (let cutAfter = 0; cutAfter < 40; cutAfter += 1) {
      const { rig, client } = deviceWithThree({ copies: 3, volatileCaches: true });
      rig.device!.context.suspension.setLeaving(1, true);
      rig.dieAfterWrites(cutAfter);
      for (let unit = 0; unit < UNIT_COUNT; unit += 1)
        rig.device!.byHand.moveAway(unit, 1, false, () => undefined);
      rig.scheduler.advance(1000);
      const bit = xorshift(cutAfter + 1);
      rig.powerCut(() => bit() % 2 === 0);
      rig.open();
      expect(isWhole(client), `cut after ${cutAfter} writes`).toBe(true);
      expect(placesOf(rig, 1).retired).toBeLessThanOrEqual(1);
      expect(rig.device!.context.table.mappedCount).toBe(UNIT_COUNT);
    }
  });
});

describe('taking a spare out of a set', () => {
  it.each([0, 1, 2])('leaves the others with all data: spare %i of three', (spareIndex) => {
    const { rig, client } = deviceWithThree();
    empty(rig, spareIndex);
    rig.close();
    expect(remove(rig, spareIndex)).toBe(0);
    rig.spareDisks.splice(spareIndex, 1);
    repair(rig);
    expect(stateOf(rig.survey())).toBe('clean');
    expect(rig.survey().set!.choice.superblock.spares.length).toBe(2);
    rig.open();
    expect(isWhole(client)).toBe(true);
  });

  it('leaves nothing above the marks that a page which is used first would bring back', () => {
    // 48 and 80 pages, of which 32 each were written when one was used.
    const { rig, client } = numberedDevice({
      spareBytes: [24 << 20, 40 << 20],
      faults: 'main:\n  - { sectors: "0-319", on: [write], error: ENODATA }',
    });
    const { context } = rig.open();
    for (let unit = 0; unit < UNIT_COUNT; unit += 1) {
      context.suspension.setLeaving(0, unit % 2 === 1);
      expect(client.write(unit * 8, 8, 5000 + unit)).toBe(0);
    }
    empty(rig, 0);
    expect(byHand(rig, (done) => rig.device!.byHand.move(60, -1, done))).toBe(0);
    // These went to the pages that spare 1 has from its own page 0 on, which were number 48 and following.
    expect(rig.device!.metadata.superblock.spares.map((spare) => spare.initialisedPageCount)).toEqual([
      32, 32,
    ]);
    rig.kill();
    expect(remove(rig, 0)).toBe(0);
    rig.spareDisks.splice(0, 1);
    const { allocator, table } = rig.open().context;
    // The old number of its page would bring this one back.
    expect(byHand(rig, (done) => rig.device!.byHand.giveBack(60, done))).toBe(0);
    expect(client.write(480, 8, 6000)).toBe(0);
    for (let page = 0; page < 49; page += 1)
      for (let unit = page * 126; unit < (page + 1) * 126; unit += 1)
        if (!allocator.isTaken(unit)) allocator.take(unit);
    rig.stores[0]!.judge = ({ kind, offsetBytes }) =>
      kind === 'write' && offsetBytes === 100 * 4096 ? ERRNO.ENODATA : 0;
    expect(client.write(800, 8, 7000)).toBe(0);
    expect(Math.floor(table.find(100) / 126)).toBe(49);
    rig.kill();
    rig.open();
    expect(isWhole(client)).toBe(true);
    expect(client.read(800, 8)).toEqual(times(8, 7000));
    expect(client.read(480, 8)).toEqual(times(8, 6000));
  });

  it('works where every copy that is left gets another number, and on a set that was stopped cleanly', () => {
    const { rig, client } = numberedDevice({ spareBytes: [2 << 20, 4 << 20], furtherDiskCount: 1 });
    rig.open();
    for (let unit = 0; unit < 20; unit += 1)
      expect(byHand(rig, (done) => rig.device!.byHand.move(unit, -1, done))).toBe(0);
    const before = client.read(0, 160);
    rig.close();
    const { set } = rig.survey();
    const layout = planAddedSpare(set!.choice.superblock, 4 << 20);
    assert(layout.ok, 'fits');
    const uuid = new Uint8Array(16).fill(0x40);
    expect(rig.writeOffline(set!, (work) => addSpare(work, layout.value, uuid))).toBe(0);
    rig.spareDisks.push(2);
    rig.open();
    empty(rig, 0, 20);
    rig.close();
    expect(remove(rig, 0)).toBe(0);
    rig.spareDisks.splice(0, 1);
    expect(rig.assemble().ok, 'assembles without a repair').toBe(true);
    repair(rig);
    expect(stateOf(rig.survey())).toBe('clean');
    rig.open();
    expect(client.read(0, 160)).toEqual(before);
  });

  it('is refused while something lives on it', () => {
    const { rig, client } = deviceWithThree();
    rig.kill();
    expect(remove(rig, 1)).toBe(ERRNO.EBUSY);
    rig.open();
    expect(isWhole(client)).toBe(true);
  });

  it.each([
    0, 1, 2,
  ])('leaves the set with it or without it when the power fails at any write: %i', (spareIndex) => {
    const outcomes = new Set<string>();
    for (let cutAfter = 0; cutAfter < 160; cutAfter += cutAfter < 20 ? 3 : 7) {
      const { rig, client } = deviceWithThree({ copies: 5, volatileCaches: true });
      empty(rig, spareIndex);
      rig.close();
      rig.dieAfterWrites(cutAfter);
      const result = remove(rig, spareIndex);
      const bit = xorshift(cutAfter + 1);
      rig.powerCut(() => bit() % 2 === 0);
      if (result === 0) rig.spareDisks.splice(spareIndex, 1);
      const isOut = result === 0 || !rig.assemble().ok;
      if (isOut && result !== 0) rig.spareDisks.splice(spareIndex, 1);
      outcomes.add(`${result} ${isOut ? 'out' : 'in'}`);
      rig.open();
      expect(isWhole(client), `cut after ${cutAfter} writes`).toBe(true);
      rig.kill();
      rig.open();
      expect(isWhole(client)).toBe(true);
    }
    expect(outcomes).toContain('0 out');
    expect(outcomes).toContain('undefined in');
  });

  it('and adding others, again and again, loses nothing', () => {
    const random = xorshift(99);
    for (let round = 0; round < 4; round += 1) {
      const { rig, client } = deviceWithThree();
      rig.kill();
      const free: number[] = [];
      for (let step = 0; step < 6; step += 1) {
        const count = rig.survey().set!.choice.superblock.spares.length;
        if (free.length > 0 && (count < 2 || random() % 2 === 0)) {
          const { set } = rig.survey();
          // The lowest of those that are not named is the next target.
          const disk = free.sort((one, other) => one - other).shift()!;
          const { sizeBytes } = rig.disks[disk]!.geometry;
          const layout = planAddedSpare(set!.choice.superblock, sizeBytes);
          assert(layout.ok, 'fits');
          const uuid = new Uint8Array(16).fill(0x40 + step);
          expect(rig.writeOffline(set!, (work) => addSpare(work, layout.value, uuid))).toBe(0);
          rig.spareDisks.push(disk);
        } else {
          const spareIndex = random() % count;
          rig.open();
          empty(rig, spareIndex);
          rig.kill();
          repair(rig);
          expect(remove(rig, spareIndex)).toBe(0);
          free.push(...rig.spareDisks.splice(spareIndex, 1));
        }
        repair(rig);
        expect(stateOf(rig.survey()), `round ${round}, step ${step}`).toBe('clean');
        rig.open();
        expect(isWhole(client), `round ${round}, step ${step}`).toBe(true);
        // New pages are used for the first time where others were before.
        expect(client.write((step % UNIT_COUNT) * 8, 8, 5000 + (step % UNIT_COUNT))).toBe(0);
        rig.kill();
      }
    }
  });
});
