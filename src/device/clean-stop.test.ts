import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { alignDown } from '../base/units.js';
import { noteTakesNoWrites } from '../engine/probe.js';
import { pageSequence } from '../format/descriptor-page.js';
import { pageOffsetBytes } from '../format/layout.js';
import type { Superblock } from '../format/superblock.js';
import { markClosed } from './mark-closed.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, pageOnMedium, times, touchesMetadata } from './testing/numbered-device.js';
import type { JudgedIo } from './testing/scripted-store.js';

const { EIO, ENODEV } = ERRNO;

function stop(rig: DeviceOnMemory): number | undefined {
  let result: number | undefined;
  rig.device!.metadata.run(markClosed, (outcome) => {
    result = outcome;
  });
  rig.scheduler.advance(60_000);
  return result;
}

/** What the set on the disks says of its last stop. */
function saysClean(rig: DeviceOnMemory): boolean {
  rig.kill();
  const set = rig.assemble();
  if (!set.ok) throw new Error(set.error.kind);
  return set.value.metadata.superblock.cleanShutdown;
}

describe('a stop', () => {
  it('is marked as clean when everything works', () => {
    const { rig } = numberedDevice();
    rig.open();
    expect(stop(rig)).toBeCloseTo(0);
    expect(saysClean(rig)).toBe(true);
  });

  it('keeps no samples of the main device after a flush that failed: a cache may show what is gone', () => {
    const { rig, client } = numberedDevice();
    rig.open();
    let failures = 1;
    rig.stores[0]!.judge = ({ kind }) => (kind === 'flush' && failures-- > 0 ? EIO : 0);
    expect(client.write(8, 8, 5000)).toBe(0);
    expect([client.flush(), client.flush()]).toEqual([EIO, 0]);
    expect(stop(rig)).toBeCloseTo(0);
    // As it was before the write that was dropped.
    rig.disks[0]!.contents.fill(7);
    rig.kill();
    expect(rig.assemble().ok).toBe(true);
  });

  it('says so and is not marked as clean while the breaker is open, though flushes work', () => {
    const { rig, client } = numberedDevice();
    rig.open();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'write' || kind === 'read' ? ENODEV : 0);
    expect(client.write(8, 8, 5000)).toBe(EIO);
    expect(rig.device!.context.breaker.isOpen).toBe(true);
    expect(stop(rig)).toBe(-EIO);
    rig.stores[0]!.judge = () => 0;
    expect(saysClean(rig)).toBe(false);
  });

  it('is clean where the main device took no writes from the start, unless that is gone', () => {
    const { rig } = numberedDevice({ mainIsReadOnly: true });
    const takeNoWrites = (): void => noteTakesNoWrites(rig.open().context, 'read-only', 0);
    takeNoWrites();
    expect(stop(rig)).toBeCloseTo(0);
    expect(saysClean(rig)).toBe(true);
    takeNoWrites();
    rig.device!.context.breaker.trip('gone', 0, false);
    expect(stop(rig)).toBe(-EIO);
    expect(saysClean(rig)).toBe(false);
  });

  it('writes anew what a failed update has left torn, so that nothing seems to be lost (seed 5513)', () => {
    for (const isStillFailing of [false, true]) {
      const { rig, client } = numberedDevice({ faults: BAD_WRITES });
      rig.open();
      expect(client.write(0, 8, 5000)).toBe(0);
      const { superblock } = rig.device!.metadata;
      const isOfPage = ({ kind, offsetBytes }: JudgedIo): boolean =>
        kind === 'write' &&
        superblock.copies.some((copy) => pageOffsetBytes(copy, 0, 0) === alignDown(offsetBytes, 8192));
      rig.stores[1]!.judge = (io) => (isOfPage(io) ? EIO : 0);
      expect(client.write(8, 8, 6000)).toBe(EIO);
      for (const copy of superblock.copies.keys()) tearSlot(rig, superblock, copy, 'older');
      if (!isStillFailing) rig.stores[1]!.judge = () => 0;
      expect(stop(rig)).toBeCloseTo(isStillFailing ? -EIO : 0);
      rig.stores[1]!.judge = () => 0;
      expect(saysClean(rig)).toBe(!isStillFailing);
      rig.open();
      expect(client.read(0, 8)).toEqual(times(8, 5000));
    }
  });

  it('does so too where each spare misses another update (seed 3982863298)', () => {
    const { rig, client } = numberedDevice({ faults: BAD_WRITES, spareBytes: [4 << 20, 4 << 20], copies: 2 });
    rig.open();
    // The first use of a page is two updates: what follows is about one.
    expect(client.write(16, 8, 5002)).toBe(0);
    const { superblock } = rig.device!.metadata;
    for (const [unit, target] of [2, 1].entries()) {
      const copyIndex = superblock.copies.findIndex(({ spareIndex }) => spareIndex === target - 1);
      failFlushOfPage(rig, superblock, target);
      expect(client.write(unit * 8, 8, 5000 + unit)).toBe(0);
      tearSlot(rig, superblock, copyIndex, 'newer');
    }
    expect(stop(rig)).toBeCloseTo(0);
    expect(saysClean(rig)).toBe(true);
    rig.open();
    expect(client.read(0, 16)).toEqual([...times(8, 5000), ...times(8, 5001)]);
  });

  it('does so too while a spare is gone, and the other one had missed an update of the page that this one took', () => {
    const { rig, client } = numberedDevice({ faults: BAD_WRITES, spareBytes: [4 << 20, 4 << 20], copies: 2 });
    rig.open();
    expect(client.write(16, 8, 5002)).toBe(0);
    const { superblock } = rig.device!.metadata;
    failFlushOfPage(rig, superblock, 1);
    expect(client.write(0, 8, 5000)).toBe(0);
    tearSlot(
      rig,
      superblock,
      superblock.copies.findIndex(({ spareIndex }) => spareIndex === 0),
      'newer',
    );
    rig.stores[2]!.judge = () => ENODEV;
    expect(client.write(8, 8, 5001)).toBe(0);
    expect(stop(rig)).toBeCloseTo(0);
    rig.stores[2]!.judge = () => 0;
    expect(saysClean(rig)).toBe(true);
    rig.open();
    expect(client.read(0, 24)).toEqual([...times(8, 5000), ...times(8, 5001), ...times(8, 5002)]);
  });
});

const BAD_WRITES = 'main:\n  - { sectors: "0-23", on: [write], error: ENODATA }';

/** The next flush of this device fails that comes after a write to a page. */
function failFlushOfPage(rig: DeviceOnMemory, superblock: Superblock, target: number): void {
  let isWritten = false;
  rig.stores[target]!.judge = (io) => {
    if (io.kind === 'write' && touchesMetadata(io, superblock, target)) isWritten = true;
    if (io.kind !== 'flush' || !isWritten) return 0;
    rig.stores[target]!.judge = () => 0;
    return EIO;
  };
}

/** A slot of the first page holds half of something. */
function tearSlot(
  rig: DeviceOnMemory,
  superblock: Superblock,
  copyIndex: number,
  which: 'newer' | 'older',
): void {
  const slots = [0, 1].map((slot) => pageOnMedium(rig, superblock, copyIndex, 0, slot));
  const [zero, one] = slots.map((slot) => pageSequence(slot));
  const newer = zero! > one! ? 0 : 1;
  slots[which === 'newer' ? newer : 1 - newer]!.fill(0x5a, 100, 200);
}
