import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import { DescriptorState } from '../format/descriptor-page.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, times, touchesBlocks } from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';

const { EIO, ENODATA, ENODEV, ENOSPC } = ERRNO;

/** Unit 0 (blocks 0 to 7) lives on a spare and holds 5000; block 3 of it is lost where `withLoss`. */
function remappedDevice(
  spareBytes = [4 << 20],
  withLoss = false,
): { rig: DeviceOnMemory; client: TestClient } {
  const { rig, client } = numberedDevice({
    spareBytes,
    faults: 'main:\n  - { sectors: "3", on: [read, write], error: ENODATA }',
  });
  rig.open();
  if (withLoss) expect(client.read(0, 8)).toBe(EIO);
  else expect(client.write(0, 8, 5000)).toBe(0);
  return { rig, client };
}

/** The place of unit 0: spare unit, store and first block there. */
function placeOfUnit0(rig: DeviceOnMemory): { spareUnit: number; target: number; firstBlock: number } {
  const { shape, table } = rig.device!.context;
  const spareUnit = table.find(0);
  expect(spareUnit).not.toBe(-1);
  return {
    spareUnit,
    target: shape.targetOf(spareUnit),
    firstBlock: shape.spareOffsetBytes(spareUnit) / 512,
  };
}

function reopen(rig: DeviceOnMemory): void {
  rig.kill();
  rig.open();
}

describe('a unit whose place on the spare goes bad', () => {
  it('moves when a write to it fails, and its old place is retired, also after a kill', () => {
    const { rig, client } = remappedDevice();
    const old = placeOfUnit0(rig);
    rig.stores[1]!.judge = (io) =>
      io.kind === 'write' && touchesBlocks(io, old.firstBlock, 8) ? ENODATA : 0;
    expect(client.write(2, 2, 6000)).toBe(0);
    for (let round = 0; round < 2; round += 1) {
      expect(client.read(0, 8)).toEqual([5000, 5000, 6000, 6000, ...times(4, 5000)]);
      expect(placeOfUnit0(rig).spareUnit).not.toBe(old.spareUnit);
      expect(rig.device!.context.table.state(old.spareUnit)).toBe(DescriptorState.retired);
      expect(rig.device!.context.allocator.isTaken(old.spareUnit)).toBe(true);
      reopen(rig);
    }
  });

  it('moves with what can still be read, and only the unreadable block is lost', () => {
    const { rig, client } = remappedDevice();
    const old = placeOfUnit0(rig);
    rig.stores[1]!.judge = (io) =>
      io.kind === 'read' && touchesBlocks(io, old.firstBlock + 5, 1) ? ENODATA : 0;
    expect(client.read(0, 8)).toBe(EIO);
    for (let round = 0; round < 2; round += 1) {
      expect(client.read(5, 1)).toBe(EIO);
      expect(client.read(0, 5)).toEqual(times(5, 5000));
      expect(client.read(6, 2)).toEqual(times(2, 5000));
      expect(placeOfUnit0(rig).spareUnit).not.toBe(old.spareUnit);
      expect(rig.device!.context.table.retiredCount).toBe(1);
      reopen(rig);
    }
  });

  it('moves when a block of it comes back only at a later try', () => {
    const { rig, client } = remappedDevice();
    const old = placeOfUnit0(rig);
    let failures = 4;
    rig.stores[1]!.judge = (io) => {
      if (io.kind !== 'read' || !touchesBlocks(io, old.firstBlock, 1) || failures === 0) return 0;
      failures -= 1;
      return ENODATA;
    };
    expect(client.read(0, 8)).toEqual(times(8, 5000));
    expect(placeOfUnit0(rig).spareUnit).not.toBe(old.spareUnit);
    expect(rig.device!.context.counters[Counter.blocksLost]).toBe(0);
  });

  it('keeps its lost blocks lost when it moves', () => {
    const { rig, client } = remappedDevice([4 << 20], true);
    const old = placeOfUnit0(rig);
    rig.stores[1]!.judge = (io) =>
      io.kind === 'write' && touchesBlocks(io, old.firstBlock, 8) ? ENODATA : 0;
    expect(client.write(7, 1, 6000)).toBe(0);
    for (let round = 0; round < 2; round += 1) {
      expect(placeOfUnit0(rig).spareUnit).not.toBe(old.spareUnit);
      expect(client.read(3, 1)).toBe(EIO);
      expect(client.read(0, 3)).toEqual(original(0, 3));
      expect(client.read(4, 4)).toEqual([5, 6, 7, 6000]);
      reopen(rig);
    }
  });

  it('moves over and over, each time to a place that is left on record, and the last one counts', () => {
    const { rig, client } = remappedDevice();
    const seen = new Set<number>();
    for (let round = 0; round < 300; round += 1) {
      const old = placeOfUnit0(rig);
      seen.add(old.spareUnit);
      rig.stores[1]!.judge = (io) =>
        io.kind === 'write' && touchesBlocks(io, old.firstBlock, 8) ? ENODATA : 0;
      expect(client.write(round % 8, 1, 6000 + round)).toBe(0);
    }
    expect(seen.size).toBe(300);
    rig.stores[1]!.judge = () => 0;
    const last = placeOfUnit0(rig).spareUnit;
    reopen(rig);
    expect(placeOfUnit0(rig).spareUnit).toBe(last);
    expect(client.read(0, 8)).toEqual([6296, 6297, 6298, 6299, 6292, 6293, 6294, 6295]);
    expect(rig.device!.context.table.retiredCount).toBe(300);
  });

  it('takes the next place when the first ones that are tried fail, and these are never tried again', () => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "0-63", on: [write], error: ENODATA }',
    });
    const { context } = rig.open();
    const first = context.allocator.allocate();
    context.allocator.release(first);
    const firstBlock = context.shape.spareOffsetBytes(first) / 512;
    let tries = 0;
    rig.stores[1]!.judge = (io) => {
      if (io.kind !== 'write' || !touchesBlocks(io, firstBlock, 5 * 8)) return 0;
      tries += 1;
      return ENODATA;
    };
    expect(client.write(0, 8, 5000)).toBe(0);
    const triesForFirst = tries;
    expect(placeOfUnit0(rig).spareUnit).toBe(first + 5);
    reopen(rig);
    expect(client.write(8, 8, 5001)).toBe(0);
    expect(tries).toBe(triesForFirst);
    expect(rig.device!.context.table.retiredCount).toBe(5);
  });
});

describe('a spare that is gone', () => {
  it.each([
    ['EIO', EIO],
    ['ENODEV', ENODEV],
  ])('fails what lives on it with EIO when it answers everything with %s, and loses nothing by that', (_name, errno) => {
    const { rig, client } = remappedDevice([1 << 20]);
    const lostBefore = rig.device!.context.counters[Counter.blocksLost];
    rig.stores[1]!.judge = () => errno;
    expect(client.read(0, 8)).toBe(EIO);
    expect(client.read(5, 1)).toBe(EIO);
    expect(client.write(0, 2, 6000)).toBe(EIO);
    expect(client.read(8, 8)).toEqual(original(8, 8));
    expect(client.write(8, 8, 6001)).toBe(0);
    rig.stores[1]!.judge = () => 0;
    expect(client.read(2, 6)).toEqual(times(6, 5000));
    expect(rig.device!.context.counters[Counter.blocksLost]).toBe(lostBefore);
    reopen(rig);
    expect(client.read(2, 6)).toEqual(times(6, 5000));
    expect(client.read(8, 8)).toEqual(times(8, 6001));
  });

  it('leaves new bad sectors to the other spare', () => {
    const { rig, client } = numberedDevice({
      spareBytes: [2 << 20, 2 << 20],
      faults: 'main:\n  - { sectors: "0-7", on: [write], error: ENODATA }',
    });
    rig.open();
    rig.stores[1]!.judge = () => ENODEV;
    expect(client.write(0, 8, 5000)).toBe(0);
    expect(placeOfUnit0(rig).target).toBe(2);
    expect(client.read(0, 8)).toEqual(times(8, 5000));
    expect(rig.events.map(({ kind }) => kind)).toContain('spareFailed');
  });
});

describe('a spare that is full', () => {
  function fullDevice(): { rig: DeviceOnMemory; client: TestClient; capacity: number } {
    const { rig, client } = numberedDevice({
      spareBytes: [1 << 20],
      copies: 1,
      faults: 'main:\n  - { sectors: "0-4095", on: [write], error: ENODATA }',
    });
    const { context } = rig.open();
    // Writes elsewhere succeed, so these are bad sectors and no dead drive.
    const capacity = context.allocator.freeCount;
    for (let unit = 0; unit < capacity; unit += 1) expect(client.write(unit * 8, 8, 5000 + unit)).toBe(0);
    expect(context.allocator.freeCount).toBe(0);
    return { rig, client, capacity };
  }

  it('makes a write to a new bad sector fail with ENOSPC, and everything acknowledged stays', () => {
    const { rig, client, capacity } = fullDevice();
    expect(capacity).toBeGreaterThan(150);
    expect(client.write(capacity * 8, 8, 1)).toBe(ENOSPC);
    expect(client.write(capacity * 8, 1, 1)).toBe(ENOSPC);
    for (let round = 0; round < 2; round += 1) {
      for (let unit = 0; unit < capacity; unit += 1) {
        expect(client.read(unit * 8, 8)).toEqual(times(8, 5000 + unit));
      }
      expect(client.read(capacity * 8, 8)).toEqual(original(capacity * 8, 8));
      reopen(rig);
    }
    expect(rig.events.map(({ kind }) => kind)).toContain('spareExhausted');
  });

  it('still takes writes for what is on it, and the main device for its healthy sectors', () => {
    const { rig, client } = fullDevice();
    expect(client.write(4, 8, 6000)).toBe(0);
    expect(client.write(5000, 8, 6001)).toBe(0);
    expect(client.write(4090, 12, 6002)).toBe(ENOSPC);
    reopen(rig);
    expect(client.read(0, 16)).toEqual([...times(4, 5000), ...times(8, 6000), ...times(4, 5001)]);
    expect(client.read(5000, 8)).toEqual(times(8, 6001));
  });

  it('answers reads of a new unreadable block with EIO for that block only', () => {
    const { rig, client, capacity } = fullDevice();
    const bad = capacity * 8 + 3;
    rig.stores[0]!.judge = (io) => (io.kind === 'read' && touchesBlocks(io, bad, 1) ? ENODATA : 0);
    expect(client.read(bad, 1)).toBe(EIO);
    expect(client.read(bad - 3, 3)).toEqual(original(bad - 3, 3));
    expect(client.read(bad + 1, 4)).toEqual(original(bad + 1, 4));
  });
});
