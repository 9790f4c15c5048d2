import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { slotOf } from '../format/superblock.js';
import { copiedSet, copyAll, REPLACEMENT_DISK, recorded, replaced } from './testing/copied-set.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import {
  numberedDevice,
  superblockOnMedium,
  times,
  touchesBlocks,
  touchesMetadata,
} from './testing/numbered-device.js';
import { answerAgain, vanish } from './testing/vanishing-device.js';
import { BLOCK_BYTES } from './testing/workload.js';

const MIB = 1 << 20;
const PART_BLOCKS = MIB / BLOCK_BYTES;
const { EIO, ENODATA, ENODEV } = ERRNO;
const MAIN = 0;
const SPARE = 1;
/** Behind what is compared as a whole before a copying goes on, and where none of the samples lies. */
const LARGE = { mainBytes: 80 * MIB };
const UNSAMPLED_BLOCK = (70 * MIB + 300 * 1024) / BLOCK_BYTES;

/** Answers what has the spare take updates of its metadata again. */
function refuseMetadata(rig: DeviceOnMemory): () => void {
  const { superblock } = rig.device!.metadata;
  let isRefusing = true;
  rig.stores[SPARE]!.judge = (io) =>
    isRefusing && io.kind === 'write' && touchesMetadata(io, superblock, SPARE) ? EIO : 0;
  return () => {
    isRefusing = false;
  };
}

describe('what is recorded of a set that is copied to another disk, when things fail', () => {
  it('is taken back for each of several writes that wait while updates fail', () => {
    const { rig, client } = copiedSet(LARGE);
    rig.kill();
    rig.open();
    const takeAgain = refuseMetadata(rig);
    const parts = [60, 65, 70, 70];
    const writes = parts.map((part, nth) => client.beginWrite(part * PART_BLOCKS + 600, 8, 9000, false, nth));
    rig.scheduler.advance(1500);
    expect(writes.map(({ errno }) => errno)).toEqual(times(4, undefined));
    takeAgain();
    rig.scheduler.advance(10_000);
    expect(writes.map(({ errno }) => errno)).toEqual(times(4, 0));
    expect(rig.events).not.toContainEqual({ kind: 'copyPositionLost' });
    expect(copyAll(rig)).toMatchObject({ beginningBytes: 77 * MIB });
    for (const part of parts) expect(replaced(rig, part * PART_BLOCKS + 600, 8)).toEqual(times(8, 9000));
  });

  it.each([
    ['while it is copied to', true],
    ['that is remembered only', false],
  ])('is given up with a copying that is cancelled, %s, where that can not be recorded (seed 1579473051)', (_which, isBegun) => {
    const { rig } = copiedSet(LARGE);
    rig.kill();
    rig.open();
    if (isBegun) expect(copyAll(rig)).toMatchObject({ state: 'copied' });
    refuseMetadata(rig);
    let isCancelled = false;
    rig.owner.run(() =>
      rig.device!.replacement.cancel(() => {
        isCancelled = true;
      }),
    );
    rig.scheduler.advance(20_000);
    expect(isCancelled).toBe(true);
    expect(rig.events).toContainEqual({ kind: 'copyPositionLost' });
  });

  it('is given up where the disk differs, and that can not be recorded', () => {
    const { rig } = copiedSet(LARGE);
    rig.close();
    rig.disks[REPLACEMENT_DISK]!.contents.fill(7, 0, 4096);
    rig.open();
    refuseMetadata(rig);
    rig.evacuateTo(REPLACEMENT_DISK);
    rig.scheduler.advance(20_000);
    expect(rig.device!.replacement.progress).toMatchObject({ beginning: 'differs', state: 'copied' });
    expect(rig.events).toContainEqual({ kind: 'copyPositionLost' });
    expect(rig.device!.context.settled.isAnySettled).toBe(false);
  });

  it('is taken back where the other disk does not give a block that is asked of it', () => {
    const { rig, client } = copiedSet(LARGE);
    let isWritten = false;
    rig.stores[REPLACEMENT_DISK]!.judge = (io) => {
      if (!touchesBlocks(io, UNSAMPLED_BLOCK, 1)) return 0;
      if (io.kind === 'write') isWritten = true;
      return io.kind === 'read' && !isWritten ? ENODATA : 0;
    };
    vanish(rig, MAIN);
    expect(client.read(UNSAMPLED_BLOCK, 1)).toBe(EIO);
    rig.scheduler.advance(5000);
    rig.kill();
    answerAgain(rig, MAIN);
    rig.open();
    expect(copyAll(rig)).toMatchObject({ beginningBytes: 79 * MIB });
    expect(isWritten).toBe(true);
  });

  it.each([false, true])('has no flush sent to a spare that is gone (all is copied: %s)', (isCopied) => {
    const { rig, client } = numberedDevice({
      spareBytes: [4 * MIB, 4 * MIB],
      furtherDiskCount: 1,
      volatileCaches: true,
      onGone: { holdMs: 3_600_000 },
      faults: 'main:\n  - { sectors: "7000-7007", on: [write], error: ENODATA }',
    });
    rig.open();
    if (isCopied) copyAll(rig);
    expect(client.write(7000, 8, 9000)).toBe(0);
    expect(client.flush()).toBe(0);
    expect(client.write(8, 8, 9002)).toBe(0);
    expect(client.write(7000, 8, 9001)).toBe(0);
    const failuresBefore = rig.device!.flushFailureCount;
    vanish(rig, SPARE);
    client.beginWrite(7000, 8, 9003, false, 3);
    rig.scheduler.advance(200_000);
    expect(rig.device!.goneDevices.map(({ target }) => target)).toEqual([SPARE]);
    const flush = client.beginFlush();
    answerAgain(rig, SPARE);
    rig.scheduler.advance(10_000);
    expect(flush.errno).toBe(0);
    expect(rig.device!.flushFailureCount).toBe(failuresBefore);
  });

  it('is not written again after it was given up, to a spare that comes back', () => {
    const { rig, client } = copiedSet();
    rig.kill();
    rig.open();
    const takeAgain = refuseMetadata(rig);
    expect(client.write(8, 8, 9000)).toBe(0);
    expect(rig.events).toContainEqual({ kind: 'copyPositionLost' });
    takeAgain();
    rig.scheduler.advance(60_000);
    rig.close();
    rig.open();
    expect(recorded(rig)).toBeUndefined();
  });

  it('holds until it is dropped: what changes meanwhile waits for that', () => {
    const { rig, client } = copiedSet({ lateStores: true });
    rig.close();
    rig.open();
    const { superblock } = rig.device!.metadata;
    const order: string[] = [];
    for (const disk of [MAIN, SPARE])
      rig.stores[disk]!.judge = (io) => {
        if (io.kind !== 'write') return 0;
        if (disk === MAIN) order.push('main');
        else if (touchesMetadata(io, superblock, SPARE)) order.push('metadata');
        return 0;
      };
    rig.device!.replacement.cancel(() => {});
    const write = client.beginWrite(8, 8, 9000);
    rig.scheduler.advance(1000);
    expect(write.errno).toBe(0);
    expect(order).toEqual([...times(10, 'metadata'), 'main']);
    expect(recorded(rig)).toBeUndefined();
  });

  it('does not count after it was dropped, even if the last superblock is gone', () => {
    const { rig } = copiedSet({ copies: 1 });
    rig.close();
    rig.disks[REPLACEMENT_DISK]!.contents.fill(7, 3 * MIB + 5, 3 * MIB + 6);
    rig.open();
    rig.evacuateTo(REPLACEMENT_DISK);
    rig.scheduler.advance(5000);
    expect(rig.device!.replacement.progress).toMatchObject({ beginning: 'differs' });
    rig.kill();
    const set = rig.assemble();
    const { superblock } = set.ok ? set.value.choice : expect.fail('it is there');
    superblockOnMedium(rig, superblock, 0, slotOf(superblock.sequence)).fill(0);
    rig.open();
    expect(recorded(rig)).toBeUndefined();
  });

  it('waits for flushes that were sent before its own, and may fail yet', () => {
    const { rig, client } = copiedSet();
    expect(client.write(PART_BLOCKS + 8, 8, 9000)).toBe(0);
    // It may have dropped what a later one finds nothing left of, and is not heard of yet.
    let flushCount = 0;
    rig.stores[MAIN]!.flush = () => {
      flushCount += 1;
    };
    client.beginFlush();
    rig.scheduler.advance(90_000);
    expect(flushCount).toBe(1);
    expect(recorded(rig)).toBe(0b1101);
  });

  it('is recorded no more where flushes fail: else all would be copied again for ever (seed 731038018)', () => {
    const { rig } = numberedDevice({ spareBytes: [4 * MIB, 4 * MIB], furtherDiskCount: 1 });
    rig.open();
    rig.stores[MAIN]!.judge = ({ kind }) => (kind === 'flush' ? EIO : 0);
    rig.evacuateTo(REPLACEMENT_DISK);
    rig.scheduler.advance(300_000);
    expect(rig.events.filter(({ kind }) => kind === 'flushFailed').length).toBe(1);
    expect(rig.device!.replacement.progress).toMatchObject({ state: 'copied', copiedBytes: 4 * MIB });
    expect(recorded(rig)).toBeUndefined();
  });

  it('is recorded again when the main device was away and is back', () => {
    const { rig } = numberedDevice({ spareBytes: [4 * MIB, 4 * MIB], furtherDiskCount: 1 });
    rig.open();
    rig.stores[MAIN]!.judge = ({ kind }) => (kind === 'flush' ? EIO : 0);
    rig.evacuateTo(REPLACEMENT_DISK);
    rig.scheduler.advance(15_000);
    vanish(rig, MAIN);
    rig.device!.context.mirror.noteStale(rig.device!.context.filter, 0, 1);
    rig.scheduler.advance(5000);
    answerAgain(rig, MAIN);
    rig.scheduler.advance(60_000);
    expect(rig.device!.replacement.progress).toMatchObject({ state: 'copied' });
    expect(recorded(rig)).toBe(0b1111);
  });

  it('does not hold up a write for longer than ten seconds where a spare does not answer at all', () => {
    const { rig, client } = copiedSet();
    rig.stores[SPARE]!.write = () => {};
    const write = client.beginWrite(8, 8, 9000);
    rig.scheduler.advance(9000);
    expect(write.errno).toBeUndefined();
    rig.scheduler.advance(2000);
    expect(write.errno).toBe(0);
    expect(rig.events).toContainEqual({ kind: 'copyPositionLost' });
  });

  it('counts for nothing as long as it is not compared, though the main device is gone for good', () => {
    const { rig, client } = copiedSet();
    rig.close();
    rig.disks[REPLACEMENT_DISK]!.contents.fill(7);
    rig.open();
    vanish(rig, MAIN);
    rig.evacuateTo(REPLACEMENT_DISK);
    rig.scheduler.advance(30_000);
    expect(rig.device!.replacement.progress).toMatchObject({ pass: 'comparing', isWaiting: true });
    rig.device!.replacement.acceptLoss();
    rig.scheduler.advance(60_000);
    expect(client.read(5000, 1)).toBe(EIO);
    expect(rig.device!.replacement.progress).toMatchObject({ pass: 'comparing', copiedBytes: 0 });
  });

  it('is compared until somebody cancels, which is told once', () => {
    const { rig } = copiedSet();
    rig.kill();
    rig.open();
    rig.stores[MAIN]!.judge = () => ENODEV;
    rig.evacuateTo(REPLACEMENT_DISK);
    rig.scheduler.advance(3000);
    rig.events.length = 0;
    rig.device!.replacement.cancel(() => {});
    rig.scheduler.advance(30_000);
    const told = rig.events.filter((event) => event.kind === 'evacuation');
    expect(told.map(({ progress }) => progress.state)).toEqual(['cancelled']);
  });
});
