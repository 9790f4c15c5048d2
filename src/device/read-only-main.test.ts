import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, times, touchesBlocks } from './testing/numbered-device.js';
import { TestClient } from './testing/test-client.js';
import { answerAgain, eventKinds, vanish } from './testing/vanishing-device.js';

const { EIO, ENODATA, ENODEV, EROFS } = ERRNO;
const MAIN = 0;
const MIB = 1 << 20;
/** Behind the main device and the spare. */
const REPLACEMENT_DISK = 2;

/** Takes no writes from now on; what it holds can be read. */
function goReadOnly(rig: DeviceOnMemory, errno: number = EIO): void {
  rig.stores[MAIN]!.judge = ({ kind }) => (kind === 'read' ? 0 : errno);
}

function opened(options: Parameters<typeof numberedDevice>[0] = {}): ReturnType<typeof numberedDevice> {
  const device = numberedDevice(options);
  device.rig.open();
  return device;
}

const untilGivenUp = (client: TestClient): void => {
  for (let unit = 0; unit < 100 && client.write(unit * 8, 8, 1) === 0; unit += 1);
};

describe.each([
  ['EIO', EIO],
  ['EROFS', EROFS],
  ['ENODATA', ENODATA],
])('a main device that answers every write with %s', (_name, errno) => {
  it('is given up for writes only, and read as before, from the device and from a queue', () => {
    const { rig, client } = opened();
    goReadOnly(rig, errno);
    untilGivenUp(client);
    expect(rig.events).toContainEqual(expect.objectContaining({ kind: 'breakerOpened', readsPass: true }));
    const queueClient = new TestClient(rig, rig.addQueue());
    expect(client.read(1000, 100)).toEqual(original(1000, 100));
    expect(queueClient.read(2000, 100)).toEqual(original(2000, 100));
    expect([client.write(1000, 8, 1), queueClient.write(1000, 8, 1)]).toEqual([EIO, EIO]);
    rig.scheduler.advance(60_000);
    expect(client.read(1000, 100)).toEqual(original(1000, 100));
    expect(rig.device!.goneDevices).toMatchObject([{ target: MAIN, readsPass: true }]);
  });

  it('costs no spare unit from then on, and takes writes again when it does', () => {
    const { rig, client } = opened();
    goReadOnly(rig, errno);
    untilGivenUp(client);
    const { table } = rig.device!.context;
    const moved = table.mappedCount;
    for (let unit = 200; unit < 300; unit += 1) expect(client.write(unit * 8, 8, 1)).toBe(EIO);
    expect(table.mappedCount).toBe(moved);
    answerAgain(rig, MAIN);
    rig.scheduler.advance(5000);
    expect(client.write(1600, 8, 7)).toBe(0);
    expect(client.read(1600, 9)).toEqual([...times(8, 7), 1609]);
    expect(eventKinds(rig)).toContain('breakerClosed');
  });
});

describe('a main device that takes no writes', () => {
  it('costs no spare unit where many writes fail at the same time, each of which wants a proof', () => {
    const { rig, client } = opened({ lateStores: true });
    goReadOnly(rig);
    const places = Array.from({ length: 32 }, (_, index) => 4000 + 80 * index);
    const writes = places.map((place) => client.beginWrite(place, 1, 5000));
    rig.scheduler.advance(60_000);
    expect(writes.map(({ errno }) => errno)).toEqual(times(32, EIO));
    expect(rig.device!.context.table.mappedCount).toBe(0);
  });

  it('costs none where requests are at work in all the places where it is tried', () => {
    const { rig, client } = opened({ lateStores: true });
    goReadOnly(rig);
    // Where its 1024 units are tried: units 64, 193, 322 and so on.
    const places = Array.from({ length: 8 }, (_, place) => 8 * (64 + 129 * place));
    const writes = places.map((place) => client.beginWrite(place, 1, 5000));
    rig.scheduler.advance(60_000);
    expect(writes.map(({ errno }) => errno)).toEqual(times(8, EIO));
    expect(rig.device!.context.table.mappedCount).toBe(0);
  });

  it('has a unit that can be read no more moved to the spare, which takes its writes', () => {
    const { rig, client } = opened();
    rig.stores[MAIN]!.judge = (io) => {
      if (io.kind === 'read') return touchesBlocks(io, 803, 1) ? ENODATA : 0;
      return EIO;
    };
    expect(client.write(0, 8, 1)).toBe(EIO);
    expect(client.read(803, 1)).toBe(EIO);
    expect(client.read(804, 4)).toEqual(original(804, 4));
    expect(client.write(803, 1, 7)).toBe(0);
    expect(client.read(800, 8)).toEqual([801, 802, 803, 7, 805, 806, 807, 808]);
  });

  it('lets units be moved by hand, which take writes then', () => {
    const { rig, client } = opened();
    goReadOnly(rig);
    expect(client.write(0, 8, 1)).toBe(EIO);
    let errno = -1;
    rig.device!.byHand.move(0, -1, (result) => {
      errno = result;
    });
    rig.scheduler.advance(1000);
    expect([errno, client.write(0, 4, 7)]).toEqual([0, 0]);
    expect(client.read(0, 9)).toEqual([7, 7, 7, 7, 5, 6, 7, 8, 9]);
  });

  it.each([
    ['nothing lives', 0],
    ['only the first unit lives', 1],
  ])('is a main device like any other when it takes writes again and %s on it any more', (_name, firstMoved) => {
    const { rig, client } = opened({ spareBytes: [8 * MIB] });
    goReadOnly(rig);
    expect(client.write(0, 8, 1)).toBe(EIO);
    const { context, byHand } = rig.device!;
    const unitCount = (4 * MIB) / context.shape.unitBytes;
    for (let unit = firstMoved; unit < unitCount; unit += 1) byHand.move(unit, -1, () => {});
    rig.scheduler.advance(1000);
    expect(context.table.mappedCount).toBe(unitCount - firstMoved);
    expect(client.flush()).not.toBe(0);
    answerAgain(rig, MAIN);
    rig.scheduler.advance(5000);
    expect([eventKinds(rig).at(-1), client.flush()]).toEqual(['breakerClosed', 0]);
  });

  it.each([
    ['nor reads', true],
    ['but reads', false],
  ])('and goes away, comes back, and its last unit takes no writes %s: that moves, and flushes are done', (_name, isUnreadable) => {
    const { rig, client } = opened({ spareBytes: [8 * MIB], onGone: { holdMs: 60_000 } });
    rig.stores[MAIN]!.judge = (io) => (io.kind === 'write' && !touchesBlocks(io, 512, 8) ? ENODATA : 0);
    for (let block = 0; block < 8192; block += 8)
      if (block !== 512) expect(client.write(block, 8, 5)).toBe(0);
    vanish(rig, MAIN);
    const flush = client.beginFlush();
    rig.scheduler.advance(3000);
    expect([flush.errno, rig.device!.goneDevices.length]).toEqual([undefined, 1]);
    rig.stores[MAIN]!.judge = (io) => {
      const isBad = io.kind === 'write' || (isUnreadable && io.kind === 'read');
      return isBad && touchesBlocks(io, 512, 8) ? ENODATA : 0;
    };
    const write = client.beginWrite(512, 8, 5000);
    rig.scheduler.advance(10_000);
    expect([flush.errno, write.errno, rig.device!.goneDevices]).toEqual([0, 0, []]);
    expect(client.read(512, 8)).toEqual(times(8, 5000));
  });

  it('keeps writes waiting and lets reads pass, where requests wait', () => {
    const { rig, client } = opened({ onGone: { holdMs: 30_000 } });
    goReadOnly(rig);
    const write = client.beginWrite(64, 8, 5000, false, 2);
    rig.scheduler.advance(5000);
    expect([write.errno, rig.device!.goneDevices]).toMatchObject([undefined, [{ heldRequests: 1 }]]);
    expect(client.read(128, 8)).toEqual(original(128, 8));
    answerAgain(rig, MAIN);
    rig.scheduler.advance(5000);
    expect([write.errno, client.read(64, 8)]).toEqual([0, times(8, 5000)]);
  });

  it('and was gone before: reads that waited for it go on, writes wait on', () => {
    const { rig, client } = opened({ onGone: { holdMs: 30_000 } });
    vanish(rig, MAIN);
    const read = client.beginRead(64, 8, 1);
    const write = client.beginWrite(128, 8, 5000, false, 0);
    rig.scheduler.advance(3000);
    goReadOnly(rig);
    rig.scheduler.advance(3000);
    expect([read.errno, write.errno]).toEqual([0, undefined]);
    expect(client.blocksAt(1, 8)).toEqual(original(64, 8));
    rig.scheduler.advance(30_000);
    expect(write.errno).toBe(EIO);
    expect(eventKinds(rig)).toContain('breakerLetsReadsPass');
  });

  it('and vanishes then: reads wait as well, and are done when it can be read again', () => {
    const { rig, client } = opened({ onGone: { holdMs: 30_000 } });
    goReadOnly(rig);
    client.beginWrite(128, 8, 5000, false, 0);
    rig.scheduler.advance(5000);
    vanish(rig, MAIN);
    const read = client.beginRead(64, 8, 1);
    rig.scheduler.advance(5000);
    expect([read.errno, rig.device!.goneDevices]).toMatchObject([undefined, [{ readsPass: false }]]);
    goReadOnly(rig);
    rig.scheduler.advance(5000);
    expect([read.errno, client.blocksAt(1, 8)]).toEqual([0, original(64, 8)]);
    expect(rig.device!.context.counters[Counter.blocksLost]).toBe(0);
  });

  it('and vanishes much later is waited for again', () => {
    const { rig, client } = opened({ onGone: { holdMs: 5_000 } });
    goReadOnly(rig);
    expect(client.write(128, 8, 5000)).toBe(EIO);
    rig.scheduler.advance(60_000);
    vanish(rig, MAIN);
    const read = client.beginRead(64, 8, 1);
    rig.scheduler.advance(3000);
    expect(read.errno).toBeUndefined();
    goReadOnly(rig);
    rig.scheduler.advance(2000);
    expect([read.errno, client.blocksAt(1, 8)]).toEqual([0, original(64, 8)]);
  });

  it('can be left for another disk, which gets all that it holds', () => {
    const { rig, client } = opened({
      spareBytes: [4 * MIB, 4 * MIB],
      furtherDiskCount: 1,
      faults: 'main:\n  - { sectors: "800-807", on: [write], error: ENODATA }',
    });
    expect(client.write(800, 8, 9000)).toBe(0);
    goReadOnly(rig);
    expect(client.write(64, 8, 1)).toBe(EIO);
    rig.evacuateTo(REPLACEMENT_DISK);
    for (let turns = 0; turns < 100; turns += 1) {
      rig.scheduler.advance(100);
      expect(client.write(64 + 8 * turns, 8, 1)).toBe(turns === 92 ? 0 : EIO);
    }
    expect(rig.device!.replacement.progress).toMatchObject({ state: 'copied', unreadableUnits: 0 });
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(true);
    rig.stores[MAIN]!.judge = () => ENODEV;
    rig.open();
    expect(client.read(0, 800)).toEqual(original(0, 800));
    expect(client.read(800, 9)).toEqual([...times(8, 1), 809]);
    expect([client.write(64, 8, 7), client.read(64, 8)]).toEqual([0, times(8, 7)]);
  });
});
