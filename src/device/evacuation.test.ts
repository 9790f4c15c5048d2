import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { ERRNO } from '../base/errno.js';
import { damagedDevice } from './testing/damaged-device.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, times, touchesBlocks } from './testing/numbered-device.js';
import { TestClient } from './testing/test-client.js';
import { BLOCK_BYTES, blockContents, Workload } from './testing/workload.js';

const MIB = 1 << 20;
const { EIO, ENODATA, ENODEV } = ERRNO;
/** The disk that is filled: behind the main device and the spare. */
const REPLACEMENT_DISK = 2;

function opened(
  options: Parameters<typeof numberedDevice>[0] = {},
  replacementBytes = 4 * MIB,
): ReturnType<typeof numberedDevice> {
  const device = numberedDevice({
    spareBytes: [4 * MIB, replacementBytes],
    furtherDiskCount: 1,
    ...options,
  });
  device.rig.open();
  return device;
}

function untilOver(rig: DeviceOnMemory): void {
  for (let turns = 0; rig.device!.replacement.progress!.state === 'copying' && turns < 1000; turns += 1)
    rig.scheduler.advance(100);
}

function state(rig: DeviceOnMemory): string {
  return rig.device!.replacement.progress!.state;
}

/** Blocks of the replacement as they lie there. */
function replaced(rig: DeviceOnMemory, first: number, count: number): number[] {
  const { contents } = rig.disks[REPLACEMENT_DISK]!;
  const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
  return Array.from({ length: count }, (_, index) => blockContents(view, (first + index) * BLOCK_BYTES));
}

describe('a replacement of the main device that is being filled', () => {
  it('holds all that the set holds, also what lives on the spare, and takes over without a remap', () => {
    const { rig, client } = opened({
      faults: 'main:\n  - { sectors: "800-807", on: [write], error: ENODATA }',
    });
    expect(client.write(800, 8, 9000)).toBe(0);
    rig.evacuateTo(REPLACEMENT_DISK);
    untilOver(rig);
    expect(state(rig)).toBe('copied');
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(true);
    rig.disks[0]!.contents.fill(0);
    rig.open();
    expect(rig.device!.context.table.mappedCount).toBe(0);
    expect(client.read(0, 800)).toEqual(original(0, 800));
    expect(client.read(800, 8)).toEqual(times(8, 9000));
    expect(client.read(808, 1000)).toEqual(original(808, 1000));
    expect(client.write(0, 8, 7000)).toBe(0);
    expect(replaced(rig, 0, 8)).toEqual(times(8, 7000));
  });

  it('gets what is written meanwhile where it is filled already, from the device and from a queue', () => {
    const { rig, client } = opened();
    const queueClient = new TestClient(rig, rig.addQueue());
    rig.evacuateTo(REPLACEMENT_DISK);
    untilOver(rig);
    expect(client.write(100, 3, 5000)).toBe(0);
    expect(queueClient.write(4000, 70, 6000)).toBe(0);
    expect(queueClient.zero(5000, 16)).toBe(0);
    expect(queueClient.read(4000, 70)).toEqual(times(70, 6000));
    expect(replaced(rig, 99, 5)).toEqual([100, ...times(3, 5000), 104]);
    expect(replaced(rig, 4000, 70)).toEqual(times(70, 6000));
    expect(replaced(rig, 5000, 17)).toEqual([...times(16, 0), 5017]);
  });

  it('gets two writes to one block at the same time as the set does, one after the other', () => {
    const { rig, client } = opened({ lateStores: true });
    const queueClient = new TestClient(rig, rig.addQueue());
    rig.evacuateTo(REPLACEMENT_DISK);
    untilOver(rig);
    const writes: string[] = [];
    for (const [disk, name] of [
      [0, 'main'],
      [REPLACEMENT_DISK, 'replacement'],
    ] as const)
      rig.stores[disk]!.judge = ({ kind }) => {
        if (kind === 'write') writes.push(name);
        return 0;
      };
    client.beginWrite(96, 8, 5000, false, 0);
    client.beginWrite(96, 8, 5001, false, 1);
    queueClient.beginWrite(96, 8, 5002, false, 2);
    rig.scheduler.advance(1000);
    expect(writes).toEqual(['main', 'replacement', 'main', 'replacement', 'main', 'replacement']);
    expect(replaced(rig, 96, 8)).toEqual(client.read(96, 8));
  });

  it('that refuses a write ends the filling, says where, and the writer hears nothing of it', () => {
    const { rig, client } = opened();
    rig.evacuateTo(REPLACEMENT_DISK);
    untilOver(rig);
    rig.stores[REPLACEMENT_DISK]!.judge = (io) => (touchesBlocks(io, 100, 8) ? EIO : 0);
    expect(client.write(100, 3, 5000)).toBe(0);
    rig.scheduler.advance(1000);
    const { progress, isThere } = rig.device!.replacement;
    expect(progress).toMatchObject({
      state: 'failed',
      failure: { operation: 'write', offsetBytes: 100 * BLOCK_BYTES, errno: EIO },
    });
    expect(isThere).toBe(false);
    const writesBefore = rig.stores[REPLACEMENT_DISK]!.counts.write;
    expect(client.write(200, 8, 5001)).toBe(0);
    expect(rig.stores[REPLACEMENT_DISK]!.counts.write).toBe(writesBefore);
    expect(rig.device!.context.filter.isPlain(0, 4 * MIB)).toBe(true);
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(false);
    rig.open();
    expect(client.read(100, 3)).toEqual(times(3, 5000));
  });

  it('has its first MiB durable once that is copied, so that it is known again after a power cut', () => {
    const { rig } = opened();
    const answered: string[] = [];
    rig.stores[REPLACEMENT_DISK]!.judge = ({ kind, offsetBytes }) => {
      if (kind === 'flush' || offsetBytes < MIB) answered.push(kind);
      return 0;
    };
    rig.evacuateTo(REPLACEMENT_DISK);
    untilOver(rig);
    expect([state(rig), ...answered]).toEqual(['copied', 'write', 'flush']);
  });

  it('may not take over while a flush of it fails', () => {
    const { rig } = opened();
    rig.evacuateTo(REPLACEMENT_DISK);
    untilOver(rig);
    rig.stores[REPLACEMENT_DISK]!.judge = (io) => (io.kind === 'flush' ? EIO : 0);
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(false);
    expect(rig.mainDisk).toBe(0);
  });

  it('may not take over before it is filled', () => {
    const { rig, client } = opened({ mainBytes: 16 * MIB }, 16 * MIB);
    rig.evacuateTo(REPLACEMENT_DISK);
    rig.device!.endHolding();
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(false);
    rig.open();
    expect(client.read(0, 8)).toEqual(original(0, 8));
  });

  it('is let go of when it is cancelled, also in the midst, and can be begun again', () => {
    const { rig, client } = opened({ mainBytes: 16 * MIB }, 16 * MIB);
    for (const isInMidst of [true, false]) {
      rig.evacuateTo(REPLACEMENT_DISK);
      if (!isInMidst) untilOver(rig);
      let isReleased = false;
      rig.device!.replacement.cancel(() => {
        isReleased = true;
      });
      rig.scheduler.advance(1000);
      expect(isReleased).toBe(true);
      expect(rig.device!.replacement.isThere).toBe(false);
      expect(state(rig)).toBe('cancelled');
      expect(rig.device!.context.filter.isPlain(0, 16 * MIB)).toBe(true);
      expect(client.write(0, 8, 7000)).toBe(0);
    }
  });

  it('rests while it is paused, and gets what is written to what it holds; then all the rest', () => {
    const { rig, client } = opened({ mainBytes: 16 * MIB }, 16 * MIB);
    const regions: number[] = [];
    rig.stores[0]!.judge = (io) => {
      const region = Math.floor(io.offsetBytes / MIB);
      if (io.kind === 'read') regions.push(region);
      if (io.kind === 'read' && region === 5) rig.device?.replacement.pause();
      return 0;
    };
    rig.evacuateTo(REPLACEMENT_DISK);
    rig.scheduler.advance(60_000);
    const { progress, isAtRest } = rig.device!.replacement;
    expect({ ...progress, isAtRest }).toMatchObject({ state: 'copying', isPaused: true, isAtRest: true });
    expect(regions).not.toContain(15);
    expect(client.write(0, 8, 7000)).toBe(0);
    expect(replaced(rig, 0, 8)).toEqual(times(8, 7000));
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(false);
    rig.open();
    rig.evacuateTo(REPLACEMENT_DISK);
    rig.scheduler.advance(60_000);
    rig.stores[0]!.judge = () => 0;
    rig.device!.replacement.resume();
    untilOver(rig);
    expect(rig.device!.replacement.progress).toMatchObject({ state: 'copied', isPaused: false });
    expect(replaced(rig, 8, 2000)).toEqual(original(8, 2000));
    // There is nothing to pause any more.
    rig.device!.replacement.pause();
    expect(rig.device!.replacement.progress?.isPaused).toBe(false);
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(true);
  });

  it('is filled once, however short a pause was, and can be let go of while it rests', () => {
    const { rig } = opened({ mainBytes: 16 * MIB, lateStores: true }, 16 * MIB);
    const regions: number[] = [];
    rig.stores[0]!.judge = (io) => {
      if (io.kind === 'read') regions.push(Math.floor(io.offsetBytes / MIB));
      rig.device!.replacement.pause();
      rig.device!.replacement.resume();
      return 0;
    };
    rig.evacuateTo(REPLACEMENT_DISK);
    untilOver(rig);
    expect(state(rig)).toBe('copied');
    expect(regions.length).toBe(new Set(regions).size);
    expect(replaced(rig, 0, 32768)).toEqual(original(0, 32768));
    rig.device!.replacement.cancel(() => {});
    rig.scheduler.advance(1000);
    rig.stores[0]!.judge = () => 0;
    rig.evacuateTo(REPLACEMENT_DISK);
    rig.device!.replacement.pause();
    rig.scheduler.advance(1000);
    rig.device!.replacement.cancel(() => {});
    rig.scheduler.advance(1000);
    expect(rig.device!.replacement).toMatchObject({ isThere: false, progress: { isPaused: false } });
  });

  it('may be larger; what is recorded then is its own size, and the set keeps its own', () => {
    const { rig, client } = opened({}, 6 * MIB);
    rig.evacuateTo(REPLACEMENT_DISK);
    untilOver(rig);
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(true);
    rig.mainDisk = 0;
    expect(rig.assemble()).toMatchObject({ ok: false, error: { kind: 'wrongMain' } });
    rig.mainDisk = REPLACEMENT_DISK;
    rig.open();
    expect(rig.device!.geometry.sizeBytes).toBe(4 * MIB);
    expect(client.read(8000, 192)).toEqual(original(8000, 192));
    rig.close();
    rig.open();
    expect(client.read(0, 8)).toEqual(original(0, 8));
  });
});

describe('a disk that does not give everything', () => {
  it('leaves lost blocks that stay errors on the replacement until they are written, and nothing more', () => {
    const { rig, client } = opened({
      faults: 'main:\n  - { sectors: "18,3000-3003", on: [read], error: ENODATA }',
    });
    rig.evacuateTo(REPLACEMENT_DISK);
    untilOver(rig);
    expect(state(rig)).toBe('copied');
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(true);
    rig.open();
    expect(rig.device!.context.table.mappedCount).toBe(2);
    expect(client.read(18, 1)).toBe(EIO);
    expect(client.read(16, 2)).toEqual(original(16, 2));
    expect(client.read(19, 1000)).toEqual(original(19, 1000));
    expect(client.read(2990, 10)).toEqual(original(2990, 10));
    expect(client.read(3003, 1)).toBe(EIO);
    expect(client.write(18, 1, 7000)).toBe(0);
    expect(client.read(16, 8)).toEqual([17, 18, 7000, 20, 21, 22, 23, 24]);
    expect(replaced(rig, 16, 8)).toEqual([17, 18, 0, 20, 21, 22, 23, 24]);
  });

  it('is read where it is good before it is read around what is bad', () => {
    const { rig } = opened({ mainBytes: 16 * MIB, spareBytes: [4 * MIB, 16 * MIB] });
    const reads: number[] = [];
    rig.stores[0]!.judge = (io) => {
      if (io.kind === 'read') reads.push(Math.floor(io.offsetBytes / MIB));
      return io.kind === 'read' && touchesBlocks(io, 3 * 2048, 1) ? ENODATA : 0;
    };
    rig.evacuateTo(REPLACEMENT_DISK);
    untilOver(rig);
    expect(state(rig)).toBe('copied');
    const firstTimes = [...new Set(reads)];
    // Number 4 is left out, as the disk was bad just before it, and comes when the others are there.
    expect(firstTimes.indexOf(4)).toBeGreaterThan(firstTimes.indexOf(15));
    expect(reads.lastIndexOf(3)).toBeGreaterThan(reads.indexOf(4));
    expect(rig.device!.context.table.unitsWithLossCount).toBe(1);
  });

  it('and a spare without room to remember that: it is said, and nothing takes over', () => {
    const { rig, client } = opened({
      faults: 'main:\n  - { sectors: "18", on: [read], error: ENODATA }',
    });
    const { allocator } = rig.device!.context;
    while (allocator.freeCount > 0) allocator.allocate();
    rig.evacuateTo(REPLACEMENT_DISK);
    untilOver(rig);
    expect(rig.device!.replacement.progress).toMatchObject({
      state: 'incomplete',
      unreadableUnits: 1,
      firstUnreadableUnit: 2,
    });
    expect(client.write(16, 8, 7000)).toBe(0);
    rig.device!.replacement.tryAgain();
    rig.scheduler.advance(60_000);
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(false);
  });

  it('that goes away for a while is waited for', () => {
    const { rig } = opened();
    let isAway = true;
    rig.stores[0]!.judge = () => (isAway ? ENODEV : 0);
    rig.evacuateTo(REPLACEMENT_DISK);
    rig.scheduler.advance(10_000);
    expect(rig.device!.replacement.progress).toMatchObject({ state: 'copying', isWaiting: true });
    isAway = false;
    untilOver(rig);
    expect(state(rig)).toBe('copied');
    expect(replaced(rig, 0, 8192)).toEqual(original(0, 8192));
  });

  it('and a write that failed is copied again: it may have happened in part', () => {
    const { rig, client } = opened({
      faults: 'main:\n  - { sectors: "96-103", on: [write], error: ENODATA }',
    });
    expect(client.write(96, 8, 9000)).toBe(0);
    rig.evacuateTo(REPLACEMENT_DISK);
    untilOver(rig);
    let isBroken = true;
    rig.stores[0]!.judge = (io) =>
      isBroken && io.kind !== 'read' && touchesBlocks(io, 104, 8) ? ERRNO.ENOSPC : 0;
    expect(client.write(96, 16, 5000)).toBe(ERRNO.ENOSPC);
    isBroken = false;
    untilOver(rig);
    expect(client.read(96, 16)).toEqual([...times(8, 5000), ...original(104, 8)]);
    expect(replaced(rig, 96, 16)).toEqual(client.read(96, 16));
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(true);
  });
});

describe('the change of the main device', () => {
  it('happens as a whole or not at all, whatever write it is cut off at', () => {
    const outcomes = new Set<string>();
    for (let writes = 1; writes < 60; writes += 1) {
      const { rig, client } = opened({
        volatileCaches: true,
        faults: 'main:\n  - { sectors: "800-807", on: [write], error: ENODATA }',
      });
      expect(client.write(800, 8, 9000)).toBe(0);
      rig.evacuateTo(REPLACEMENT_DISK);
      untilOver(rig);
      rig.device!.metadata.run(
        () => rig.device!.replacement.seal(),
        () => {},
      );
      rig.scheduler.advance(1000);
      rig.close();
      rig.dieAfterWrites(writes);
      const errno = rig.replaceMain(REPLACEMENT_DISK, 'withLoss');
      rig.powerCut((_, sector) => (sector * 7 + writes) % 3 === 0);
      const held: number[][] = [];
      for (const disk of [0, REPLACEMENT_DISK]) {
        rig.mainDisk = disk;
        const set = rig.assemble();
        if (!set.ok) continue;
        // Which of the two it is for can't be told where neither has a serial number; its map can.
        const isChanged = set.value.table.mappedCount === 0;
        if (isChanged !== (disk === REPLACEMENT_DISK)) continue;
        rig.open();
        held.push(client.read(800, 8) as number[]);
        outcomes.add(isChanged ? 'changed' : 'as before');
      }
      expect(held).toEqual([times(8, 9000)]);
      if (errno === 0) expect(rig.mainDisk).toBe(REPLACEMENT_DISK);
      if (errno === 0) break;
    }
    expect([...outcomes].sort()).toEqual(['as before', 'changed']);
  });

  it('keeps the map where a copy of the disk as it was takes its place', () => {
    const { rig, client } = opened({
      faults: 'main:\n  - { sectors: "800-807", on: [write], error: ENODATA }',
    });
    expect(client.write(800, 8, 9000)).toBe(0);
    rig.close();
    rig.disks[REPLACEMENT_DISK]!.contents.set(rig.disks[0]!.contents);
    expect(rig.replaceMain(REPLACEMENT_DISK, 'all')).toBe(0);
    rig.open();
    expect(client.read(800, 8)).toEqual(times(8, 9000));
    expect(rig.device!.context.table.mappedCount).toBe(1);
  });
});

/** Requests are under way when the filling begins. */
function underLoad(
  seed: number,
  unitBytes: number,
): ReturnType<typeof damagedDevice> & { workload: Workload } {
  const { rig, model } = damagedDevice(seed * 7919, [8 * MIB, 3 * MIB], {
    mainBytes: 3 * MIB,
    badPlaces: 80,
    furtherDiskCount: 1,
    unitBytes,
    volatileCaches: true,
    lateStores: true,
  });
  const workload = new Workload(rig, model, seed);
  rig.open();
  rig.addQueue();
  rig.addQueue();
  for (let steps = seed; steps > 0; steps -= 1) workload.step();
  rig.evacuateTo(REPLACEMENT_DISK);
  return { rig, model, workload };
}

describe('a damaged disk at work, an owner and two queues', () => {
  it.each([1024, 4096])('can be evacuated under load, with units of %i bytes', (unitBytes) => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const random = xorshift(seed);
      const { rig, workload } = underLoad(seed, unitBytes);
      for (let steps = 0; state(rig) === 'copying' && steps < 4000; steps += 1) workload.step();
      for (let steps = random() % 40; steps > 0; steps -= 1) workload.step();
      workload.drain();
      untilOver(rig);
      expect(state(rig), `seed ${seed}`).toBe('copied');
      expect(rig.cutOver(REPLACEMENT_DISK), `seed ${seed}`).toBe(true);
      // Nothing of the new disk is left to a cache.
      rig.powerCut(() => false);
      rig.disks[0]!.contents.fill(0xee);
      rig.open();
      workload.verifyAll();
      expect(workload.writeErrors, `write errors with seed ${seed}`).toBe(0);
    }
  });

  it('is as it was after a power cut in the midst, and can be evacuated then', () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      const random = xorshift(seed * 31);
      const { rig, workload } = underLoad(seed, 4096);
      for (let steps = random() % 12; steps > 0; steps -= 1) workload.step();
      rig.powerCut(() => random() % 2 === 0);
      workload.forgetUnflushed();
      rig.open();
      rig.evacuateTo(REPLACEMENT_DISK);
      for (let steps = 20; steps > 0; steps -= 1) workload.step();
      workload.drain();
      untilOver(rig);
      expect(rig.cutOver(REPLACEMENT_DISK), `seed ${seed}`).toBe(true);
      rig.open();
      workload.verifyAll();
      expect(workload.writeErrors, `write errors with seed ${seed}`).toBe(0);
    }
  });
});
