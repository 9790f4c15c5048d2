import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { DescriptorState, pageSequence } from '../format/descriptor-page.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import {
  copyOnMedium,
  numberedDevice,
  original,
  pageOnMedium,
  times,
  touchesBlocks,
  touchesMetadata,
} from './testing/numbered-device.js';

const { EBUSY, EEXIST, EIO, ENODATA, ENOENT } = ERRNO;

function opened(options: Parameters<typeof numberedDevice>[0] = {}): ReturnType<typeof numberedDevice> {
  const device = numberedDevice(options);
  device.rig.open();
  return device;
}

function move(rig: DeviceOnMemory, mainUnit: number, spareUnit = -1): number {
  return outcomeOf(rig, (done) => rig.device!.byHand.move(mainUnit, spareUnit, done));
}

function giveBack(rig: DeviceOnMemory, mainUnit: number): number {
  return outcomeOf(rig, (done) => rig.device!.byHand.giveBack(mainUnit, done));
}

function outcomeOf(rig: DeviceOnMemory, begin: (done: (errno: number) => void) => void): number {
  let outcome = Number.NaN;
  begin((errno) => {
    outcome = errno;
  });
  rig.scheduler.advance(60_000);
  return outcome;
}

function killAndOpen(rig: DeviceOnMemory): void {
  for (const store of rig.stores) store.judge = () => 0;
  rig.kill();
  rig.open();
}

describe('a unit that is moved by hand', () => {
  it('takes its data along, and lives on the spare from then on, also after a kill', () => {
    const { rig, client } = opened();
    expect(move(rig, 2)).toBe(0);
    for (let round = 0; round < 2; round += 1) {
      expect(client.read(0, 64)).toEqual(original(0, 64));
      expect(rig.device!.context.table.find(2)).not.toBe(-1);
      killAndOpen(rig);
    }
    rig.stores[0]!.judge = (io) => (touchesBlocks(io, 16, 8) ? EIO : 0);
    expect(client.write(16, 8, 7000)).toBe(0);
    expect(client.read(16, 8)).toEqual(times(8, 7000));
  });

  it('goes where it is told to, and nowhere that has an owner', () => {
    const { rig } = opened();
    const { table, allocator } = rig.device!.context;
    const wanted = allocator.allocate();
    allocator.release(wanted);
    expect(move(rig, 2, wanted)).toBe(0);
    expect(table.find(2)).toBe(wanted);
    expect(move(rig, 3, wanted)).toBe(EBUSY);
    expect(move(rig, 3, 0)).toBe(EBUSY);
    expect(move(rig, 2)).toBe(EEXIST);
    expect(table.mappedCount).toBe(1);
  });

  it('loses only the blocks that cannot be read', () => {
    const { rig, client } = opened({
      faults: 'main:\n  - { sectors: "18", on: [read], error: ENODATA }',
    });
    expect(move(rig, 2)).toBe(0);
    expect(client.read(18, 1)).toBe(EIO);
    expect(client.read(19, 5)).toEqual(original(19, 5));
  });
});

it('a unit that lives on a spare is put together with others on no spare that is being emptied', () => {
  const { rig } = opened({ spareBytes: [2 << 20, 2 << 20] });
  const { context } = rig.device!;
  expect(move(rig, 2)).toBe(0);
  const from = context.table.find(2);
  const place = context.allocator.allocate();
  context.allocator.release(place);
  context.suspension.setLeaving(context.shape.spareIndexOf(place), true);
  const shift = (): number => outcomeOf(rig, (done) => rig.device!.byHand.moveOnSpares(2, place, done));
  expect([shift(), context.table.find(2)]).toEqual([EBUSY, from]);
  context.suspension.setLeaving(context.shape.spareIndexOf(place), false);
  expect([shift(), context.table.find(2)]).toEqual([0, place]);
});

describe('a place on a spare that gave its data only at a retry', () => {
  /** Unit 2 lives on the first spare; its first block is read at the third try there. */
  function weak() {
    const { rig, client } = opened({ spareBytes: [2 << 20, 2 << 20] });
    expect(move(rig, 2)).toBe(0);
    const { table, shape } = rig.device!.context;
    const place = table.find(2);
    const block = shape.spareOffsetBytes(place) / 512;
    let failures = 0;
    rig.stores[1]!.judge = (io) => {
      if (io.kind !== 'read' || !touchesBlocks(io, block, 1) || failures === 2) return 0;
      failures += 1;
      return ENODATA;
    };
    return { rig, client, place, table };
  }

  it.each([
    [
      'moves to another place',
      (rig: DeviceOnMemory) => {
        const { allocator } = rig.device!.context;
        const to = allocator.allocate();
        allocator.release(to);
        return outcomeOf(rig, (done) => rig.device!.byHand.moveOnSpares(2, to, done));
      },
    ],
    [
      'moves away',
      (rig: DeviceOnMemory) => {
        rig.device!.context.suspension.setLeaving(0, true);
        return outcomeOf(rig, (done) => rig.device!.byHand.moveAway(2, 0, false, done));
      },
    ],
    ['is given back', (rig: DeviceOnMemory) => giveBack(rig, 2)],
  ])('serves no other unit when its own %s, also after a kill', (_what, leave) => {
    const { rig, client, place, table } = weak();
    expect(leave(rig)).toBe(0);
    expect(client.read(16, 8)).toEqual(original(16, 8));
    expect(table.find(2)).not.toBe(place);
    expect(client.write(16, 8, 7000)).toBe(0);
    expect([table.state(place), rig.device!.context.allocator.isTaken(place)]).toEqual([
      DescriptorState.retired,
      true,
    ]);
    killAndOpen(rig);
    const { context } = rig.device!;
    expect([context.table.state(place), context.allocator.isTaken(place)]).toEqual([
      DescriptorState.retired,
      true,
    ]);
    expect(client.read(16, 8)).toEqual(times(8, 7000));
  });

  it('is left by its own unit when that is read', () => {
    const { client, place, table } = weak();
    expect(client.read(16, 8)).toEqual(original(16, 8));
    expect([table.find(2) === place, table.state(place)]).toEqual([false, DescriptorState.retired]);
  });
});

describe('a unit that is given back', () => {
  it('lives on the main device with the contents it had last, also after a kill and a power cut', () => {
    const { rig, client } = opened({ volatileCaches: true });
    expect(move(rig, 2)).toBe(0);
    expect(client.write(16, 8, 7000)).toBe(0);
    expect(giveBack(rig, 2)).toBe(0);
    expect(rig.device!.context.table.find(2)).toBe(-1);
    rig.powerCut(() => false);
    rig.open();
    expect(client.read(16, 8)).toEqual(times(8, 7000));
    expect(rig.device!.context.table.mappedCount).toBe(0);
    expect(giveBack(rig, 2)).toBe(ENOENT);
  });

  it('leaves a place that serves another unit, and can be moved again', () => {
    const { rig, client } = opened();
    expect(move(rig, 2)).toBe(0);
    const place = rig.device!.context.table.find(2);
    expect(giveBack(rig, 2)).toBe(0);
    expect(move(rig, 9, place)).toBe(0);
    expect(move(rig, 2)).toBe(0);
    for (let round = 0; round < 2; round += 1) {
      const { table } = rig.device!.context;
      expect(table.find(9)).toBe(place);
      expect(table.find(2)).not.toBe(-1);
      expect(client.read(0, 128)).toEqual(original(0, 128));
      killAndOpen(rig);
    }
  });

  it('stays on the spare where a flush that failed meanwhile may have dropped what was written', () => {
    const { rig, client } = opened();
    expect(move(rig, 2)).toBe(0);
    expect(client.write(16, 8, 7000)).toBe(0);
    let flushes = 0;
    rig.stores[0]!.judge = (io) => {
      if (io.kind === 'write' && flushes === 0) client.beginFlush();
      // The client's; the one that follows it finds nothing to do, and the write can be read back from a cache.
      return io.kind === 'flush' && flushes++ === 0 ? EIO : 0;
    };
    expect(giveBack(rig, 2)).toBe(EIO);
    expect(flushes).toBeGreaterThan(1);
    expect(rig.device!.context.table.find(2)).not.toBe(-1);
    expect(giveBack(rig, 2)).toBe(0);
  });

  it('stays on the spare where the main device still refuses it', () => {
    for (const kind of ['write', 'read', 'flush'] as const) {
      const { rig, client } = opened();
      expect(move(rig, 2)).toBe(0);
      expect(client.write(16, 8, 7000)).toBe(0);
      rig.stores[0]!.judge = (io) =>
        io.kind === kind && (kind === 'flush' || touchesBlocks(io, 16, 8)) ? ENODATA : 0;
      expect(giveBack(rig, 2)).toBe(EIO);
      killAndOpen(rig);
      expect(rig.device!.context.table.find(2)).not.toBe(-1);
      expect(client.read(16, 8)).toEqual(times(8, 7000));
    }
  });

  it('stays where it is while blocks of it are lost', () => {
    const { rig, client } = opened({ faults: 'main:\n  - { sectors: "18", on: [read], error: ENODATA }' });
    expect(client.read(18, 1)).toBe(EIO);
    expect(giveBack(rig, 2)).toBe(ENODATA);
    expect(client.read(18, 1)).toBe(EIO);
  });

  it('is not old after a commit that failed, whatever the disks took of it', () => {
    for (const takes of [0, 1]) {
      const { rig, client } = opened({ copies: 2 });
      expect(move(rig, 2)).toBe(0);
      const { superblock } = rig.device!.metadata;
      rig.stores[1]!.judge = failAfter(
        takes,
        (io) => io.kind === 'write' && touchesMetadata(io, superblock, 1),
      );
      const errno = giveBack(rig, 2);
      rig.stores[1]!.judge = () => 0;
      expect([0, EIO]).toContain(errno);
      expect(client.write(16, 8, 8000)).toBe(0);
      killAndOpen(rig);
      expect(client.read(16, 8)).toEqual(times(8, 8000));
    }
  });

  it('leaves a page that a start gives a copy as the others have it, so that none contradicts (seed 5747)', () => {
    const { rig, client } = opened({ copies: 2 });
    expect(move(rig, 2)).toBe(0);
    expect(move(rig, 3)).toBe(0);
    expect(giveBack(rig, 2)).toBe(0);
    const { superblock } = rig.device!.metadata;
    rig.kill();
    const held = [0, 1].map((slot) => pageSequence(pageOnMedium(rig, superblock, 1, 0, slot)));
    pageOnMedium(rig, superblock, 1, 0, held[0]! > held[1]! ? 0 : 1).fill(0);
    rig.open();
    const [one, other] = [0, 1].map((copy) => copyOnMedium(rig, superblock, copy).slice(16_384));
    const descriptors = (copy: Uint8Array): Uint8Array => copy.subarray(64, 4096);
    expect(Buffer.compare(descriptors(one!), descriptors(other!))).toBe(0);
    killAndOpen(rig);
    expect(client.read(16, 16)).toEqual(original(16, 16));
    expect(rig.device!.context.table.mappedCount).toBe(1);
  });

  it('is whole after a kill at any write', () => {
    for (let writes = 0; writes < 12; writes += 1) {
      const { rig, client } = opened();
      expect(move(rig, 2)).toBe(0);
      expect(client.write(16, 8, 7000)).toBe(0);
      rig.dieAfterWrites(writes);
      giveBack(rig, 2);
      rig.kill();
      rig.open();
      expect(client.read(16, 8)).toEqual(times(8, 7000));
      const { table } = rig.device!.context;
      const claims = Array.from({ length: table.spareUnitCapacity }, (_, unit) => unit).filter(
        (unit) => table.state(unit) === DescriptorState.mapped,
      );
      expect(claims.length).toBe(table.find(2) === -1 ? 0 : 1);
    }
  });
});

type Judge = DeviceOnMemory['stores'][number]['judge'];

/** Refuses I/O of this kind after `count` that it lets pass. */
function failAfter(count: number, concerns: (io: Parameters<Judge>[0]) => boolean): Judge {
  let left = count;
  return (io) => {
    if (!concerns(io)) return 0;
    left -= 1;
    return left >= 0 ? 0 : ENODATA;
  };
}

it('a place that is taken while the unit for it is being read is refused', () => {
  const { rig, client } = numberedDevice({
    faults:
      'main:\n  - { sectors: "0-7", on: [write], error: ENODATA }\n  - { sectors: "400-407", on: [read], delayMs: 500 }',
  });
  const { context } = rig.open();
  const place = context.allocator.allocate();
  context.allocator.release(place);
  let outcome: number | undefined;
  rig.device!.byHand.move(50, place, (errno) => {
    outcome = errno;
  });
  expect(client.write(0, 8, 5000)).toBe(0);
  expect(context.table.find(0)).toBe(place);
  rig.scheduler.advance(1000);
  expect(outcome).toBe(EBUSY);
  expect(context.table.find(50)).toBe(-1);
});
