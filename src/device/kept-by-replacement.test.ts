import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { WriteZeroesFlag } from '../ports/served-device.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, times, touchesBlocks } from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';
import { vanish, vanishedAnswer } from './testing/vanishing-device.js';

const MIB = 1 << 20;
const { EIO, EAGAIN, ENODATA, ENOSPC } = ERRNO;
const MAIN = 0;
const SPARE = 1;
const REPLACEMENT_DISK = 2;

/** Everything is on the replacement; blocks 7000 to 7007 live on the spare and hold 9000. */
function filled(options: Parameters<typeof numberedDevice>[0] = {}): {
  readonly rig: DeviceOnMemory;
  readonly client: TestClient;
} {
  const { rig, client } = numberedDevice({
    spareBytes: [8 * MIB, 4 * MIB],
    furtherDiskCount: 1,
    onGone: { holdMs: 0 },
    faults: 'main:\n  - { sectors: "7000-7007", on: [write], error: ENODATA }',
    ...options,
  });
  rig.open();
  expect(client.write(7000, 8, 9000)).toBe(0);
  rig.evacuateTo(REPLACEMENT_DISK);
  expect(untilOver(rig)).toBe('copied');
  return { rig, client };
}

function untilOver(rig: DeviceOnMemory): string {
  for (let turns = 0; rig.device!.replacement.progress!.state === 'copying' && turns < 1000; turns += 1)
    rig.scheduler.advance(100);
  return rig.device!.replacement.progress!.state;
}

/** Reads of these blocks of the main device fail; what else is asked of it, `others` answers. */
function failReads(rig: DeviceOnMemory, first: number, count: number, others: () => number = () => 0): void {
  rig.stores[MAIN]!.judge = (io) =>
    io.kind === 'read' && touchesBlocks(io, first, count) ? ENODATA : others();
}

/** The first I/O of this kind fails. */
function failOnce(rig: DeviceOnMemory, disk: number, kind: 'read' | 'flush', errno: number): void {
  let isOver = false;
  rig.stores[disk]!.judge = (io) => {
    if (io.kind !== kind || isOver) return 0;
    isOver = true;
    return errno;
  };
}

describe('what only the replacement gives any more', () => {
  it.each([
    ['EAGAIN', EAGAIN],
    ['EIO', EIO],
  ])('is not lost for an error of the replacement that passes: %s', (_name, errno) => {
    const { rig, client } = filled();
    failReads(rig, 96, 8);
    failOnce(rig, REPLACEMENT_DISK, 'read', errno);
    expect(client.read(96, 8)).toEqual(original(96, 8));
    expect(rig.device!.context.table.unitsWithLossCount).toBe(0);
  });

  it('is read at once where the main device is away, whatever passing error comes first', () => {
    const { rig, client } = filled();
    vanish(rig, MAIN);
    expect(client.read(100, 8)).toEqual(original(100, 8));
    failOnce(rig, REPLACEMENT_DISK, 'read', EAGAIN);
    expect(client.read(100, 8)).toEqual(original(100, 8));
  });

  it('is lost block by block where that does not give it either', () => {
    const { rig, client } = filled();
    failReads(rig, 96, 8);
    rig.stores[REPLACEMENT_DISK]!.judge = (io) =>
      io.kind === 'read' && touchesBlocks(io, 96, 1) ? ENODATA : 0;
    expect(client.read(96, 1)).toBe(EIO);
    expect(client.read(97, 7)).toEqual(original(97, 7));
  });

  it('is not looked for again and again where that does not give it either, and no unit may move', () => {
    const { rig, client } = filled();
    rig.device!.context.policy.maxMovedUnits = 1;
    rig.stores[REPLACEMENT_DISK]!.judge = (io) =>
      io.kind === 'read' && touchesBlocks(io, 96, 1) ? ENODATA : 0;
    rig.stores[MAIN]!.judge = (io) => {
      if (io.kind === 'read' && touchesBlocks(io, 96, 8)) return ENODATA;
      return io.kind === 'write' && touchesBlocks(io, 1600, 8) ? ENOSPC : 0;
    };
    expect(client.write(1600, 8, 9200)).toBe(ENOSPC);
    expect(untilOver(rig)).toBe('incomplete');
    expect(rig.device!.replacement.progress).toMatchObject({ unreadableUnits: 1 });
  });

  it('is not lost because a flush of a spare has failed', () => {
    const { rig, client } = filled({ volatileCaches: true });
    expect(client.flush()).toBe(0);
    expect(client.write(7000, 8, 9100)).toBe(0);
    failOnce(rig, SPARE, 'flush', EIO);
    failReads(rig, 96, 8);
    expect(client.flush()).toBe(EIO);
    expect(untilOver(rig)).toBe('copied');
    expect(client.read(96, 8)).toEqual(original(96, 8));
  });

  it('is not lost because a write elsewhere in its MiB has failed', () => {
    const { rig, client } = filled();
    rig.stores[MAIN]!.judge = (io) => {
      if (io.kind === 'read' && touchesBlocks(io, 96, 8)) return ENODATA;
      return io.kind === 'write' && touchesBlocks(io, 1600, 8) ? ENOSPC : 0;
    };
    expect(client.write(1600, 8, 5)).toBe(ENOSPC);
    untilOver(rig);
    expect(client.read(96, 8)).toEqual(original(96, 8));
  });

  it('is there around a write that waited for the main device, and found its unit bad', () => {
    const { rig, client } = filled({ onGone: { holdMs: 30_000 } });
    vanish(rig, MAIN);
    const write = client.beginWrite(98, 2, 7000);
    rig.scheduler.advance(3000);
    expect(write.errno).toBeUndefined();
    rig.stores[MAIN]!.judge = (io) => (touchesBlocks(io, 96, 8) ? ENODATA : 0);
    rig.scheduler.advance(5000);
    expect(write.errno).toBe(0);
    expect(client.read(96, 8)).toEqual([97, 98, 7000, 7000, ...original(100, 4)]);
  });

  it('is there where the main device is given up and the spare does not give it', () => {
    const { rig, client } = filled();
    vanish(rig, MAIN);
    expect(client.write(200, 8, 1)).toBe(EIO);
    rig.scheduler.advance(3000);
    const { shape, table } = rig.device!.context;
    const placeBytes = shape.spareOffsetBytes(table.find(875));
    rig.stores[SPARE]!.judge = ({ kind, offsetBytes, lengthBytes }) =>
      kind === 'read' && offsetBytes < placeBytes + 4096 && offsetBytes + lengthBytes > placeBytes
        ? ENODATA
        : 0;
    rig.device!.replacement.acceptLoss();
    expect(untilOver(rig)).toBe('copied');
    expect(client.read(7000, 8)).toEqual(times(8, 9000));
  });
});

describe('a main device that is back while units are being given up', () => {
  it('has none of those lost that were not yet', () => {
    const { rig, client } = numberedDevice({
      spareBytes: [8 * MIB, 4 * MIB],
      furtherDiskCount: 1,
      onGone: { holdMs: 0 },
    });
    rig.open();
    rig.evacuateTo(REPLACEMENT_DISK);
    rig.stores[MAIN]!.judge = vanishedAnswer;
    expect(client.read(0, 8)).toBe(EIO);
    rig.scheduler.advance(5000);
    let placed = 0;
    rig.stores[SPARE]!.judge = ({ kind, lengthBytes }) => {
      if (kind === 'write' && lengthBytes === 4096) placed += 1;
      if (placed === 10) {
        rig.stores[MAIN]!.judge = () => 0;
        rig.device!.context.breaker.close();
      }
      return 0;
    };
    const { allocator, table } = rig.device!.context;
    const freeBefore = allocator.freeCount;
    rig.device!.replacement.acceptLoss();
    expect(untilOver(rig)).toBe('copied');
    expect([placed >= 10, table.mappedCount, allocator.freeCount]).toEqual([true, 0, freeBefore]);
  });
});

describe('a durable request while the main device is gone, and the replacement holds everything', () => {
  it.each([
    ['a write', (client: TestClient) => client.write(7000, 8, 7700, true)],
    ['zeroes', (client: TestClient) => client.zero(7000, 8, WriteZeroesFlag.durable)],
  ])('asks nothing of other disks than those that it goes to: %s', (_name, send) => {
    const { rig, client } = filled();
    vanish(rig, MAIN);
    expect(client.read(100, 2)).toEqual(original(100, 2));
    const [failures, flushes] = [rig.device!.flushFailureCount, rig.stores[MAIN]!.counts.flush];
    expect(send(client)).toBe(0);
    expect([rig.device!.flushFailureCount, rig.stores[MAIN]!.counts.flush]).toEqual([failures, flushes]);
    expect(client.read(100, 2)).toEqual(original(100, 2));
  });

  it.each([
    true,
    false,
  ])('leaves what the replacement holds where nothing of it was sent; disks with FUA: %s', (nativeFua) => {
    const { rig, client } = filled({ nativeFua });
    vanish(rig, MAIN);
    expect(client.read(100, 2)).toEqual(original(100, 2));
    expect(client.write(90, 1, 7700, true)).toBe(EIO);
    expect(client.read(90, 12)).toEqual(original(90, 12));
  });
});
