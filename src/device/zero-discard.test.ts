import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import { WriteZeroesFlag } from '../ports/served-device.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, times } from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';

const { EIO, EOPNOTSUPP } = ERRNO;

/** Unit 2 (blocks 16 to 23) on a spare; of unit 4 (blocks 32 to 39) blocks 33 and 34 are lost; the rest is healthy. */
function mixedDevice(copies = 5): { rig: DeviceOnMemory; client: TestClient } {
  const { rig, client } = numberedDevice({
    copies,
    faults: `main:
  - { sectors: "16-17", on: [write, writeZeroes], error: ENODATA }
  - { sectors: "33-34", on: [read, write, writeZeroes], error: ENODATA }`,
  });
  rig.open();
  expect(client.write(16, 8, 5000)).toBe(0);
  expect(client.read(33, 2)).toBe(EIO);
  expect(rig.device!.context.table.unitsWithLossCount).toBe(1);
  return { rig, client };
}

describe('write zeroes', () => {
  it('that have to be fast go on slowly where a part was zeroed before the device refused', () => {
    const { rig, client } = mixedDevice();
    let zeroed = 0;
    rig.stores[0]!.judge = ({ kind }) => {
      if (kind === 'writeZeroes') zeroed += 1;
      return kind === 'writeZeroes' && zeroed === 2 ? EOPNOTSUPP : 0;
    };
    expect(client.zero(8, 24, WriteZeroesFlag.fastOnly)).toBe(0);
    expect(client.read(8, 24)).toEqual(times(24, 0));
  });

  it('zeroes healthy units, units on a spare and lost blocks, and no more than it is asked to', () => {
    const { rig, client } = mixedDevice();
    expect(client.zero(10, 28)).toBe(0);
    expect(client.read(0, 48)).toEqual([...original(0, 10), ...times(28, 0), ...original(38, 10)]);
    expect(rig.device!.context.table.unitsWithLossCount).toBe(0);
    rig.kill();
    rig.open();
    expect(client.read(0, 48)).toEqual([...original(0, 10), ...times(28, 0), ...original(38, 10)]);
  });

  it('are durable also in a unit that moves on the way, half of which is written after that', () => {
    const { rig, client } = numberedDevice({
      volatileCaches: true,
      faults: 'main:\n  - { sectors: "512-515", on: [write], error: ENODATA }',
    });
    rig.open();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'writeZeroes' ? EOPNOTSUPP : 0);
    // Zeroes are written 512 blocks at a time: unit 64 begins at block 512, and what is written first ends at block 515.
    expect(client.zero(4, 516, WriteZeroesFlag.durable)).toBe(0);
    expect(rig.device!.context.table.find(64)).not.toBe(-1);
    rig.powerCut(() => false);
    rig.open();
    expect(client.read(512, 10)).toEqual([...times(8, 0), ...original(520, 2)]);
  });

  it('gives a part of the lost blocks contents and leaves the others lost, also after a kill', () => {
    const { rig, client } = mixedDevice();
    expect(client.zero(34, 1)).toBe(0);
    for (let round = 0; round < 2; round += 1) {
      expect(client.read(34, 1)).toEqual([0]);
      expect(client.read(33, 1)).toBe(EIO);
      expect(client.read(35, 1)).toEqual([36]);
      rig.kill();
      rig.open();
    }
  });

  it('uses the command of the device where there is one', () => {
    const { rig, client } = mixedDevice();
    const { counts } = rig.stores[0]!;
    const writesBefore = counts.write;
    expect(client.zero(64, 512)).toBe(0);
    expect([counts.writeZeroes, counts.write]).toEqual([1, writesBefore]);
  });

  it('writes zeroes where the device has no command for it, and asks it once', () => {
    const { rig, client } = mixedDevice();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'writeZeroes' ? EOPNOTSUPP : 0);
    expect(client.zero(8, 1000)).toBe(0);
    expect(client.read(0, 1016)).toEqual([...original(0, 8), ...times(1000, 0), ...original(1008, 8)]);
    expect(rig.stores[0]!.counts.writeZeroes).toBe(1);
  });

  it('changes nothing when it is to be fast and the device has no command for it', () => {
    const { rig, client } = mixedDevice();
    const { counters } = rig.device!.context;
    const failedBefore = counters[Counter.requestsFailed];
    rig.stores[0]!.judge = ({ kind }) => (kind === 'writeZeroes' ? EOPNOTSUPP : 0);
    expect(client.zero(8, 30, WriteZeroesFlag.fastOnly)).toBe(EOPNOTSUPP);
    expect(counters[Counter.requestsFailed]).toBe(failedBefore);
    expect(client.read(8, 24)).toEqual([...original(8, 8), ...times(8, 5000), ...original(24, 8)]);
    expect(client.read(33, 1)).toBe(EIO);
  });

  it('moves a unit that refuses zeroes to a spare', () => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "100", on: [write, writeZeroes], error: EIO }',
    });
    rig.open();
    expect(client.zero(0, 8192)).toBe(0);
    expect(rig.device!.context.breaker.isOpen).toBe(false);
    expect(rig.device!.context.table.mappedCount).toBe(1);
    for (let block = 0; block < 8192; block += 2048) expect(client.read(block, 2048)).toEqual(times(2048, 0));
  });

  it('moves a unit that refuses zeroes to a spare where zeroes have to be written', () => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "100", on: [write], error: EIO }',
    });
    rig.open();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'writeZeroes' ? EOPNOTSUPP : 0);
    expect(client.zero(0, 8192)).toBe(0);
    expect(rig.device!.context.breaker.isOpen).toBe(false);
    expect(client.read(96, 16)).toEqual(times(16, 0));
  });

  it('is durable where it is asked to be: a failed flush makes it fail', () => {
    const { rig, client } = mixedDevice();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'flush' ? EIO : 0);
    expect(client.zero(64, 8)).toBe(0);
    expect(client.zero(64, 8, WriteZeroesFlag.durable)).toBe(EIO);
  });

  it('waits for writes to the same blocks, and they for it', () => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "8", on: [write], delayMs: 50 }',
    });
    rig.open();
    const slow = client.beginWrite(8, 8, 7000);
    expect(client.zero(0, 64)).toBe(0);
    expect(slow.errno).toBe(0);
    expect(client.read(0, 64)).toEqual(times(64, 0));
  });
});

describe('discard', () => {
  it('gives up healthy units only: what is on a spare stays, lost blocks stay lost', () => {
    const { rig, client } = mixedDevice();
    expect(client.discard(8, 32)).toBe(0);
    expect(client.read(0, 8)).toEqual(original(0, 8));
    expect(client.read(16, 8)).toEqual(times(8, 5000));
    expect(client.read(33, 1)).toBe(EIO);
    expect(client.read(35, 5)).toEqual(original(35, 5));
    expect(client.read(40, 8)).toEqual(original(40, 8));
    expect(rig.stores[0]!.counts.discard).toBe(2);
  });

  it('is no error where the device refuses it, and leaves the contents', () => {
    const { rig, client } = mixedDevice();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'discard' ? EOPNOTSUPP : 0);
    expect(client.discard(64, 64)).toBe(0);
    expect(client.read(64, 64)).toEqual(original(64, 64));
  });

  it('waits for a write to the same blocks that came before it', () => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "8", on: [write], delayMs: 50 }',
    });
    rig.open();
    const slow = client.beginWrite(8, 8, 7000);
    rig.stores[0]!.judge = ({ kind }) => {
      if (kind === 'discard') expect(slow.errno).toBe(0);
      return 0;
    };
    expect(client.discard(0, 64)).toBe(0);
    expect(rig.stores[0]!.counts.discard).toBe(1);
  });
});
