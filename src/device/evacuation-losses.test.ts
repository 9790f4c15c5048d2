import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import {
  numberedDevice,
  original,
  times,
  touchesBlocks,
  touchesMetadata,
} from './testing/numbered-device.js';
import { BLOCK_BYTES, blockContents } from './testing/workload.js';

const MIB = 1 << 20;
const { EIO, ENODATA, ENODEV } = ERRNO;
/** The disk that is filled: behind the main device and the spare. */
const REPLACEMENT_DISK = 2;

function evacuated(options: Parameters<typeof numberedDevice>[0] = {}): ReturnType<typeof numberedDevice> {
  const device = numberedDevice({ spareBytes: [4 * MIB, 4 * MIB], furtherDiskCount: 1, ...options });
  device.rig.open();
  return device;
}

function untilOver(rig: DeviceOnMemory): string {
  for (let turns = 0; rig.device!.replacement.progress!.state === 'copying' && turns < 1000; turns += 1)
    rig.scheduler.advance(100);
  return rig.device!.replacement.progress!.state;
}

function blocksOf(rig: DeviceOnMemory, disk: number, first: number, count: number): number[] {
  const { contents } = rig.disks[disk]!;
  const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
  return Array.from({ length: count }, (_, index) => blockContents(view, (first + index) * BLOCK_BYTES));
}

describe('a replacement that is being filled, and a spare that does not answer', () => {
  it('have that looked for, although nobody else has noticed', () => {
    const { rig, client } = evacuated({
      faults: 'main:\n  - { sectors: "800-807", on: [write], error: ENODATA }',
    });
    expect(client.write(800, 8, 9000)).toBe(0);
    let isAway = true;
    rig.stores[1]!.judge = () => (isAway ? ENODEV : 0);
    rig.evacuateTo(REPLACEMENT_DISK);
    rig.scheduler.advance(10_000);
    expect(rig.device!.goneDevices).toMatchObject([{ target: 1 }]);
    expect(rig.device!.replacement.progress).toMatchObject({ state: 'copying', isWaiting: true });
    isAway = false;
    expect(untilOver(rig)).toBe('copied');
    expect(blocksOf(rig, REPLACEMENT_DISK, 800, 8)).toEqual(times(8, 9000));
  });
});

describe('a replacement, while the disks of the set forget', () => {
  it('is filled again after a flush of the old disk that failed: that has gone back to what it held', () => {
    const { rig, client } = evacuated({ volatileCaches: true });
    const before = rig.disks[0]!.contents.slice(100 * BLOCK_BYTES, 103 * BLOCK_BYTES);
    rig.evacuateTo(REPLACEMENT_DISK);
    expect(untilOver(rig)).toBe('copied');
    expect(client.write(100, 3, 5000)).toBe(0);
    rig.stores[0]!.judge = ({ kind }) => {
      if (kind !== 'flush') return 0;
      rig.disks[0]!.contents.set(before, 100 * BLOCK_BYTES);
      rig.stores[0]!.judge = () => 0;
      return EIO;
    };
    expect(client.flush()).toBe(EIO);
    expect(client.read(100, 3)).toEqual(original(100, 3));
    expect(untilOver(rig)).toBe('copied');
    expect(blocksOf(rig, REPLACEMENT_DISK, 100, 3)).toEqual(original(100, 3));
  });

  it('is let go of when it has everything, although a flush fails while the set is closed', () => {
    const { rig } = evacuated({ volatileCaches: true });
    rig.evacuateTo(REPLACEMENT_DISK);
    expect(untilOver(rig)).toBe('copied');
    const { device } = rig;
    let isSealed: boolean | undefined;
    device!.endHolding();
    device!.metadata.run(
      () => device!.replacement.seal(),
      (result) => {
        isSealed = result;
      },
    );
    rig.scheduler.advance(1000);
    expect([isSealed, device!.replacement.isThere]).toEqual([true, false]);
    device!.context.mirror.noteStale(device!.context.filter, 0, 4 * MIB);
    rig.scheduler.advance(1000);
    expect(device!.replacement.progress!.state).toBe('copied');
    expect(device!.replacement.isAtRest).toBe(true);
  });

  it('does not take over where it would have to be filled again while the set is closed', () => {
    const { rig } = evacuated();
    rig.evacuateTo(REPLACEMENT_DISK);
    expect(untilOver(rig)).toBe('copied');
    const { context } = rig.device!;
    rig.device!.endHolding();
    context.mirror.noteStale(context.filter, 0, BLOCK_BYTES);
    expect(rig.device!.replacement.isAtRest).toBe(true);
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(false);
  });
});

describe('a replacement of a disk that has lost blocks', () => {
  it('gets no zeroes for what could not be remembered as lost, although lost blocks are read as zeroes', () => {
    const { rig } = numberedDevice({
      spareBytes: [4 * MIB, 4 * MIB],
      furtherDiskCount: 1,
      faults: 'main:\n  - { sectors: "18", on: [read], error: ENODATA }',
    });
    const { superblock } = rig.survey().set!.choice;
    rig.open({ lostReadsAsZero: true });
    rig.stores[1]!.judge = (io) => (io.kind === 'write' && touchesMetadata(io, superblock, 1) ? EIO : 0);
    rig.evacuateTo(REPLACEMENT_DISK);
    expect(untilOver(rig)).toBe('incomplete');
    rig.stores[1]!.judge = () => 0;
    rig.device!.replacement.tryAgain();
    expect(untilOver(rig)).toBe('copied');
    expect(rig.device!.context.table.unitsWithLossCount).toBe(1);
  });

  it('holds all of it where a unit with a lost block loses another one on the spare', () => {
    const { rig, client } = evacuated({
      faults: 'main:\n  - { sectors: "18", on: [read], error: ENODATA }',
    });
    expect(client.read(18, 1)).toBe(EIO);
    const { table, shape } = rig.device!.context;
    const block = shape.spareOffsetBytes(table.find(2)) / BLOCK_BYTES + 5;
    rig.stores[1]!.judge = (io) => (io.kind === 'read' && touchesBlocks(io, block, 1) ? ENODATA : 0);
    rig.evacuateTo(REPLACEMENT_DISK);
    expect(untilOver(rig)).toBe('copied');
    expect(table.lostMask(table.find(2))).toBe((1 << 2) | (1 << 5));
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(true);
    rig.open();
    expect(client.read(16, 2)).toEqual(original(16, 2));
    expect(client.read(19, 2)).toEqual(original(19, 2));
    expect([client.read(18, 1), client.read(21, 1)]).toEqual([EIO, EIO]);
    expect(client.read(22, 100)).toEqual(original(22, 100));
  });
});

describe('a replacement that is let go of while the main device takes no writes', () => {
  it.each([
    1, 2, 3, 4,
  ])('does not hide that: no unit moves (after failed write %i; seed 320004364)', (nth) => {
    const { rig, client } = evacuated({ lateStores: true, onGone: { holdMs: 30_000 } });
    rig.evacuateTo(REPLACEMENT_DISK);
    expect(untilOver(rig)).toBe('copied');
    let isReleased = false;
    const letGo = (): void =>
      rig.device!.replacement.cancel(() => {
        isReleased = true;
      });
    let failedWrites = 0;
    rig.stores[0]!.judge = ({ kind }) => {
      if (kind !== 'write') return 0;
      failedWrites += 1;
      if (failedWrites === nth) rig.scheduler.after(0, letGo);
      return EIO;
    };
    const write = client.beginWrite(0, 8, 7000, false, 0);
    rig.scheduler.advance(5000);
    expect([isReleased, write.errno]).toEqual([true, undefined]);
    expect(rig.device!.goneDevices).toMatchObject([{ target: 0, readsPass: true }]);
    expect(rig.device!.context.table.mappedCount).toBe(0);
  });
});
