import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import { WriteZeroesFlag } from '../ports/served-device.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, times, touchesMetadata } from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';

const { EIO } = ERRNO;
const NOTHING_SURVIVES = (): boolean => false;

/** Unit 1 (blocks 8 to 15) lives on a spare and holds 5000; a power cut takes what was not flushed. */
function cachedDevice(spareFaults = ''): { rig: DeviceOnMemory; client: TestClient } {
  const { rig, client } = numberedDevice({
    volatileCaches: true,
    faults: `main:\n  - { sectors: "9", on: [write, writeZeroes], error: ENODATA }\n${spareFaults}`,
  });
  rig.open();
  expect(client.write(8, 8, 5000)).toBe(0);
  expect(client.flush()).toBe(0);
  return { rig, client };
}

function cutPower(rig: DeviceOnMemory): void {
  rig.powerCut(NOTHING_SURVIVES);
  rig.open();
}

describe('the disks of these tests', () => {
  it('really lose what was not flushed', () => {
    const { rig, client } = cachedDevice();
    expect(client.write(64, 8, 6000)).toBe(0);
    expect(client.write(10, 2, 6001)).toBe(0);
    cutPower(rig);
    expect(client.read(64, 8)).toEqual(original(64, 8));
    expect(client.read(8, 8)).toEqual(times(8, 5000));
  });
});

describe('what a flush has covered', () => {
  it('survives a power cut, on the main device and on a spare', () => {
    const { rig, client } = cachedDevice();
    expect(client.write(64, 8, 6000)).toBe(0);
    expect(client.write(10, 2, 6001)).toBe(0);
    expect(client.flush()).toBe(0);
    cutPower(rig);
    expect(client.read(64, 8)).toEqual(times(8, 6000));
    expect(client.read(10, 2)).toEqual(times(2, 6001));
  });

  it('survives when another flush was under way already', () => {
    const { rig, client } = cachedDevice('spare:\n  - { on: [flush], delayMs: 50, afterOps: 60 }');
    for (let round = 0; round < 60; round += 1) client.read(8, 8);
    expect(client.write(10, 2, 6001)).toBe(0);
    const first = client.beginFlush();
    rig.scheduler.advance(0);
    expect(first.errno, 'the first flush waits for the spare').toBeUndefined();
    const second = client.beginFlush();
    rig.scheduler.advance(10);
    if (second.errno === undefined) rig.scheduler.advance(100);
    else cutPower(rig);
    expect(client.read(10, 2)).toEqual(times(2, 6001));
    cutPower(rig);
    expect(client.read(10, 2)).toEqual(times(2, 6001));
  });
});

describe('a flush that fails', () => {
  it.each([0, 1])('is answered with EIO and reported, when it fails on store %i', (target) => {
    const { rig, client } = cachedDevice();
    expect(client.write(10, 2, 6001)).toBe(0);
    rig.stores[target]!.judge = ({ kind }) => (kind === 'flush' ? ERRNO.ENOSPC : 0);
    expect(client.flush()).toBe(EIO);
    expect(rig.events.map(({ kind }) => kind)).toContain('flushFailed');
    expect(rig.device!.context.counters[Counter.flushErrors]).toBe(1);
  });

  it('is not made up for by the next one unless that reaches the spare', () => {
    const { rig, client } = cachedDevice();
    expect(client.write(10, 2, 6001)).toBe(0);
    rig.stores[1]!.judge = ({ kind }) => (kind === 'flush' ? EIO : 0);
    expect(client.flush()).toBe(EIO);
    expect(client.flush()).toBe(EIO);
    rig.stores[1]!.judge = () => 0;
    expect(client.flush()).toBe(0);
    cutPower(rig);
    expect(client.read(10, 2)).toEqual(times(2, 6001));
  });

  it('does not trouble a spare that has nothing to flush', () => {
    const { rig, client } = cachedDevice();
    const before = rig.stores[1]!.counts.flush;
    expect(client.write(64, 8, 6000)).toBe(0);
    expect(client.flush()).toBe(0);
    expect(rig.stores[1]!.counts.flush).toBe(before);
  });
});

describe('a write with FUA', () => {
  it('survives a power cut on healthy units, on a spare and across both', () => {
    const { rig, client } = cachedDevice();
    expect(client.write(64, 8, 6000, true)).toBe(0);
    expect(client.write(4, 8, 6001, true)).toBe(0);
    cutPower(rig);
    expect(client.read(64, 8)).toEqual(times(8, 6000));
    expect(client.read(0, 16)).toEqual([...original(0, 4), ...times(8, 6001), ...times(4, 5000)]);
  });

  it('survives a power cut when it had to move a unit', () => {
    const { rig, client } = numberedDevice({
      volatileCaches: true,
      faults: 'main:\n  - { sectors: "9", on: [write], error: ENODATA }',
    });
    rig.open();
    expect(client.write(4, 16, 6000, true)).toBe(0);
    cutPower(rig);
    expect(client.read(0, 24)).toEqual([...original(0, 4), ...times(16, 6000), ...original(20, 4)]);
  });

  it('fails when it had to move a unit and the flush after that fails', () => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "9", on: [write], error: ENODATA }',
    });
    rig.open();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'flush' ? EIO : 0);
    expect(client.write(4, 16, 6000, true)).toBe(EIO);
  });

  it.each([
    ['a write', (client: TestClient) => client.beginWrite(4, 16, 6000, true)],
    ['zeroes', (client: TestClient) => client.beginZero(4, 16, WriteZeroesFlag.durable)],
  ])("fails when somebody else's flush has failed meanwhile: the disk may have forgotten a part: %s", (_name, begin) => {
    const { rig, client } = numberedDevice({
      volatileCaches: true,
      faults:
        'main:\n  - { sectors: "9", on: [write, writeZeroes], error: ENODATA }\nspare:\n  - { on: [flush], delayMs: 50 }',
    });
    rig.open();
    const request = begin(client);
    rig.scheduler.advance(10);
    expect(request.errno, 'the commit waits for the spare').toBeUndefined();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'flush' ? EIO : 0);
    client.beginFlush();
    rig.scheduler.advance(10);
    rig.stores[0]!.judge = () => 0;
    rig.scheduler.advance(10_000);
    expect(request.errno).toBe(EIO);
  });

  it('is as durable when it writes zeroes', () => {
    const { rig, client } = cachedDevice();
    expect(client.zero(4, 16, WriteZeroesFlag.durable)).toBe(0);
    cutPower(rig);
    expect(client.read(0, 24)).toEqual([...original(0, 4), ...times(16, 0), ...original(20, 4)]);
  });
});

describe('a unit that moves while the power fails', () => {
  /** Cuts the power after each number of writes that it takes to move unit 1, and looks at its blocks afterwards. */
  function cutAtEveryWrite(survivesOn: (isMetadata: boolean) => boolean): void {
    let answer = -1;
    for (let writes = 1; answer === -1; writes += 1) {
      const { rig, client } = numberedDevice({
        volatileCaches: true,
        faults: 'main:\n  - { sectors: "9,64", on: [write], error: ENODATA }',
      });
      rig.open();
      expect(client.write(64, 8, 5000)).toBe(0);
      const { superblock } = rig.device!.metadata;
      rig.dieAfterWrites(writes);
      answer = client.write(9, 2, 6000);
      rig.powerCut((target, sector) => {
        const io = { kind: 'write', offsetBytes: sector * 512, lengthBytes: 512 } as const;
        return survivesOn(target !== 0 && touchesMetadata(io, superblock, target));
      });
      rig.open();
      const [first, ...others] = client.read(8, 8) as number[];
      expect([first, ...others.slice(2)]).toEqual([9, 12, 13, 14, 15, 16]);
      for (const index of [0, 1]) expect([10 + index, 6000]).toContain(others[index]);
      if (answer === 0) expect(others.slice(0, 2)).toEqual([6000, 6000]);
      expect(client.read(64, 8)).toEqual(times(8, 5000));
    }
    expect(answer).toBe(0);
  }

  it('keeps its other blocks when metadata reaches the medium and data does not', () => {
    cutAtEveryWrite((isMetadata) => isMetadata);
  });

  it('keeps its other blocks when data reaches the medium and metadata does not', () => {
    cutAtEveryWrite((isMetadata) => !isMetadata);
  });

  it('keeps its other blocks when some sectors of everything reach the medium', () => {
    let nth = 0;
    cutAtEveryWrite(() => {
      nth += 1;
      return nth % 3 !== 0;
    });
  });
});

describe('a flush that fails while metadata is written, asked for by somebody else', () => {
  /** The spare takes 50 ms to flush: first the data, then empty pages, the superblock, and the page of the unit. */
  it.each([
    ['behind that of the data', 30],
    ['behind that of the first pages of all', 80],
    ['behind that of the superblock', 130],
    ['behind that of the page', 180],
  ])('takes nothing that was acknowledged and flushed afterwards: %s', (_name, delayMs) => {
    const { rig, client } = numberedDevice({
      volatileCaches: true,
      faults:
        'main:\n  - { sectors: "9", on: [write], error: ENODATA }\nspare:\n  - { on: [flush], delayMs: 50 }',
    });
    rig.open();
    const moved = client.beginWrite(8, 8, 5000);
    rig.scheduler.advance(delayMs);
    expect(moved.errno, 'the commit is under way').toBeUndefined();
    let failures = 1;
    rig.stores[1]!.judge = ({ kind }) => (kind === 'flush' && failures-- > 0 ? EIO : 0);
    const flush = client.beginFlush();
    while (flush.errno === undefined) rig.scheduler.advance(1);
    expect(flush.errno).toBe(EIO);
    rig.loseCache(1);
    rig.scheduler.advance(10_000);
    expect(client.write(8, 8, 6000)).toBe(0);
    expect(client.flush()).toBe(0);
    cutPower(rig);
    expect(client.read(8, 8)).toEqual(times(8, 6000));
  });
});

describe('a unit that moved', () => {
  it('is where it moved to after a power cut, without any flush by the application', () => {
    const { rig, client } = numberedDevice({
      volatileCaches: true,
      faults: 'main:\n  - { sectors: "9", on: [write], error: ENODATA }',
    });
    rig.open();
    expect(client.write(8, 8, 6000)).toBe(0);
    cutPower(rig);
    expect(client.read(8, 8)).toEqual(times(8, 6000));
    expect(rig.device!.context.table.mappedCount).toBe(1);
  });
});
