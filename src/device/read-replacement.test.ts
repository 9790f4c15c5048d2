import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, times, touchesBlocks } from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';
import { answerAgain, vanish } from './testing/vanishing-device.js';

const MIB = 1 << 20;
const { EIO, ENODATA } = ERRNO;
const MAIN = 0;
const SPARE = 1;
/** The disk that is filled: behind the main device and the spare. */
const REPLACEMENT_DISK = 2;

interface Filled {
  readonly rig: DeviceOnMemory;
  readonly client: TestClient;
}

/** Everything is on the replacement; blocks 800 to 807 live on the spare and hold 9000, block 18 is lost. */
function filled(holdMs: number): Filled {
  const device = numberedDevice({
    spareBytes: [4 * MIB, 4 * MIB],
    furtherDiskCount: 1,
    onGone: { holdMs },
    faults:
      'main:\n  - { sectors: "800-807", on: [write], error: ENODATA }\n  - { sectors: "18", on: [read], error: ENODATA }',
  });
  device.rig.open();
  expect(device.client.write(800, 8, 9000)).toBe(0);
  fill(device.rig);
  return device;
}

function fill(rig: DeviceOnMemory): void {
  rig.evacuateTo(REPLACEMENT_DISK);
  for (let turns = 0; rig.device!.replacement.progress!.state === 'copying' && turns < 1000; turns += 1)
    rig.scheduler.advance(100);
  expect(rig.device!.replacement.progress!.state).toBe('copied');
}

function failBlocks(rig: DeviceOnMemory, disk: number, first: number, count: number, errno: number): void {
  rig.stores[disk]!.judge = (io) => (io.kind === 'read' && touchesBlocks(io, first, count) ? errno : 0);
}

function lostCount(rig: DeviceOnMemory): number {
  return rig.device!.context.counters[Counter.blocksLost]!;
}

describe('a disk that goes bad after its contents were copied', () => {
  it.each([
    ['a medium error', ENODATA],
    ['an error that may be the device', EIO],
  ])('is read from the replacement, and nothing is lost: %s', (_name, errno) => {
    const { rig, client } = filled(0);
    const lostBefore = lostCount(rig);
    failBlocks(rig, MAIN, 100, 4, errno);
    expect(client.read(96, 16)).toEqual(original(96, 16));
    expect(lostCount(rig)).toBe(lostBefore);
    expect(rig.device!.context.table.find(12)).not.toBe(-1);
    expect(client.read(18, 1)).toBe(EIO);
    answerAgain(rig, MAIN);
    rig.kill();
    rig.open();
    expect(client.read(96, 16)).toEqual(original(96, 16));
  });

  it('is so too where a part of a bad unit is written', () => {
    const { rig, client } = filled(0);
    const lostBefore = lostCount(rig);
    rig.stores[MAIN]!.judge = (io) => (touchesBlocks(io, 96, 8) ? ENODATA : 0);
    expect(client.write(98, 2, 7000)).toBe(0);
    expect(client.read(96, 8)).toEqual([97, 98, ...times(2, 7000), ...original(100, 4)]);
    expect(lostCount(rig)).toBe(lostBefore);
  });

  it('is so too for what lives on a spare', () => {
    const { rig, client } = filled(0);
    const lostBefore = lostCount(rig);
    const { context } = rig.device!;
    const unit = context.table.find(100);
    const placeBytes = context.shape.spareOffsetBytes(unit);
    rig.stores[SPARE]!.judge = ({ kind, offsetBytes, lengthBytes }) =>
      kind === 'read' && offsetBytes < placeBytes + 4096 && offsetBytes + lengthBytes > placeBytes
        ? ENODATA
        : 0;
    expect(client.read(800, 8)).toEqual(times(8, 9000));
    expect(lostCount(rig)).toBe(lostBefore);
    expect(context.table.find(100)).not.toBe(unit);
  });

  it('loses what the replacement does not give either', () => {
    const { rig, client } = filled(0);
    failBlocks(rig, MAIN, 100, 1, ENODATA);
    failBlocks(rig, REPLACEMENT_DISK, 100, 1, ENODATA);
    expect(client.read(100, 1)).toBe(EIO);
    expect(client.read(101, 3)).toEqual(original(101, 3));
  });

  it('is not read from a replacement that has refused a write', () => {
    const { rig, client } = filled(0);
    rig.stores[REPLACEMENT_DISK]!.judge = (io) => (io.kind === 'write' ? EIO : 0);
    expect(client.write(100, 1, 5000)).toBe(0);
    answerAgain(rig, REPLACEMENT_DISK);
    failBlocks(rig, MAIN, 100, 1, ENODATA);
    expect(client.read(100, 1)).toBe(EIO);
  });
});

describe.each([
  ['fail', 0],
  ['wait', 30_000],
])('devices of the set that are gone, where requests %s', (_name, holdMs) => {
  it.each([
    ['the main device', MAIN],
    ['the spare', SPARE],
  ])('%s: what is on the replacement is read all the same', (_device, target) => {
    const { rig, client } = filled(holdMs);
    vanish(rig, target);
    for (let round = 0; round < 3; round += 1) {
      expect(client.read(796, 16)).toEqual([...original(796, 4), ...times(8, 9000), ...original(808, 4)]);
      rig.scheduler.advance(5000);
    }
    expect(client.read(18, 1)).toBe(EIO);
    expect(client.read(2000, 64)).toEqual(original(2000, 64));
    answerAgain(rig, target);
    rig.scheduler.advance(5000);
    expect(client.write(2000, 8, 6000)).toBe(0);
    expect(client.read(2000, 8)).toEqual(times(8, 6000));
  });
});

describe('a write whose outcome on the main device is not known', () => {
  it('is not read from the replacement', () => {
    const { rig, client } = filled(0);
    rig.stores[MAIN]!.judge = (io) => {
      if (!touchesBlocks(io, 104, 8)) return 0;
      return io.kind === 'write' ? ERRNO.ENOSPC : ENODATA;
    };
    expect(client.write(96, 16, 5000)).toBe(ERRNO.ENOSPC);
    expect(client.read(104, 1)).toBe(EIO);
  });
});
