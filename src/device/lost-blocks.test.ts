import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import type { OpenOptions } from './testing/device-on-memory.js';
import { numberedDevice, original, times } from './testing/numbered-device.js';

const { EIO } = ERRNO;

/** Blocks 18, 19 and 21 can't be read; nothing else is wrong with the main device. */
function deviceWithBadBlocks(options: OpenOptions = {}): ReturnType<typeof numberedDevice> {
  const device = numberedDevice({ faults: 'main:\n  - { sectors: "18-19,21", on: [read], error: ENODATA }' });
  device.rig.open(options);
  return device;
}

describe('a block that cannot be read', () => {
  it('is an error, and the only one: its neighbours in the unit are saved', () => {
    const { rig, client } = deviceWithBadBlocks();
    expect(client.read(16, 8)).toBe(EIO);
    expect(client.read(0, 64)).toBe(EIO);
    for (const [first, count] of [
      [0, 18],
      [20, 1],
      [22, 42],
    ] as const) {
      expect(client.read(first, count)).toEqual(original(first, count));
    }
    expect(rig.device!.context.counters[Counter.blocksLost]).toBe(3);
  });

  it('fails at once from then on, also after a kill, without another look at the disk', () => {
    const { rig, client } = deviceWithBadBlocks();
    expect(client.read(18, 1)).toBe(EIO);
    rig.kill();
    rig.open();
    const before = rig.stores[0]!.counts.read;
    expect(client.read(18, 1)).toBe(EIO);
    expect(client.read(21, 1)).toBe(EIO);
    expect(client.read(20, 1)).toEqual([21]);
    expect(rig.stores[0]!.counts.read).toBe(before);
  });

  it('has contents again once it is written, durably, and the others of its unit stay lost', () => {
    const { rig, client } = deviceWithBadBlocks();
    expect(client.read(16, 8)).toBe(EIO);
    expect(client.write(19, 2, 6000)).toBe(0);
    for (let round = 0; round < 2; round += 1) {
      expect(client.read(19, 2)).toEqual([6000, 6000]);
      expect([client.read(18, 1), client.read(21, 1)]).toEqual([EIO, EIO]);
      expect(rig.device!.context.table.unitsWithLossCount).toBe(1);
      rig.kill();
      rig.open();
    }
    expect(client.write(18, 4, 6001)).toBe(0);
    expect(rig.device!.context.counters[Counter.blocksRegained]).toBe(2);
    rig.kill();
    rig.open();
    expect(client.read(16, 8)).toEqual([17, 18, ...times(4, 6001), 23, 24]);
    expect(rig.device!.context.table.unitsWithLossCount).toBe(0);
  });

  it('is not lost if it comes back at a later try, and its unit moves before it goes for good', () => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "18", on: [read], error: ENODATA, times: 5 }',
    });
    rig.open();
    expect(client.read(16, 8)).toEqual(original(16, 8));
    expect(rig.device!.context.table.find(2)).not.toBe(-1);
    expect(rig.device!.context.table.unitsWithLossCount).toBe(0);
    expect(rig.device!.context.counters[Counter.remapsOfReads]).toBe(1);
  });

  it('of a last unit that the device cuts short is one of those that are there', () => {
    const { rig, client } = numberedDevice({
      mainBytes: (1 << 20) + 1536,
      faults: 'main:\n  - { sectors: "2049", on: [read, write], error: ENODATA }',
    });
    rig.open();
    expect(client.read(2048, 3)).toBe(EIO);
    expect([client.read(2048, 1), client.read(2050, 1)]).toEqual([[2049], [2051]]);
    const { table } = rig.device!.context;
    expect(table.lostMask(table.find(256))).toBe(0b010);
    expect(client.write(2049, 2, 6000)).toBe(0);
    rig.kill();
    rig.open();
    expect(client.read(2040, 11)).toEqual([...original(2040, 9), 6000, 6000]);
  });
});

describe('reading lost blocks as zeroes, where that was asked for', () => {
  it('gives zeroes for exactly the lost blocks, and counts them', () => {
    const { rig, client } = deviceWithBadBlocks({ lostReadsAsZero: true });
    const expected = [17, 18, 0, 0, 21, 0, 23, 24];
    expect(client.read(16, 8)).toEqual(expected);
    expect(rig.device!.context.counters[Counter.lostBlocksZeroFilled]).toBe(3);
    expect(client.read(16, 8)).toEqual(expected);
    expect(client.read(19, 2)).toEqual([0, 21]);
    expect(rig.device!.context.counters[Counter.lostBlocksZeroFilled]).toBe(7);
  });

  it('covers a longer request with lost blocks in the middle', () => {
    const { client } = deviceWithBadBlocks({ lostReadsAsZero: true });
    const expected = [...original(0, 18), 0, 0, 21, 0, ...original(22, 42)];
    expect(client.read(0, 64)).toEqual(expected);
    expect(client.read(0, 64)).toEqual(expected);
  });

  it('does not make the loss forgotten', () => {
    const { rig, client } = deviceWithBadBlocks({ lostReadsAsZero: true });
    client.read(16, 8);
    rig.kill();
    rig.open();
    expect(client.read(18, 1)).toBe(EIO);
  });

  it('does not hide that the device is dead', () => {
    const { rig, client } = deviceWithBadBlocks({ lostReadsAsZero: true });
    rig.stores[0]!.judge = () => EIO;
    expect(client.read(64, 8)).toBe(EIO);
  });
});
