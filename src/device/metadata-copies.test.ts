import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { ERRNO } from '../base/errno.js';
import { emptyDescriptor } from '../format/descriptor-page.js';
import { type Superblock, slotOf } from '../format/superblock.js';
import type { AssembledSet } from './assemble-set.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import {
  copyOnMedium,
  numberedDevice,
  original,
  pageOnMedium,
  superblockOnMedium,
  times,
  touchesMetadata,
} from './testing/numbered-device.js';
import type { JudgedIo } from './testing/scripted-store.js';
import type { TestClient } from './testing/test-client.js';
import { writeSuperblock } from './write-superblock.js';

const COPIES = [0, 1, 2, 3, 4];

/** Units 0 to 19 on spares, block 163 (unit 20) lost, a retired place; on two spares. Killed. */
function usedDevice(): { rig: DeviceOnMemory; client: TestClient; superblock: Superblock; map: string } {
  const { rig, client } = numberedDevice({
    spareBytes: [2 << 20, 2 << 20],
    faults: 'main:\n  - { sectors: "0-159,163", on: [read, write], error: ENODATA }',
  });
  rig.open();
  for (let unit = 0; unit < 20; unit += 1) expect(client.write(unit * 8, 8, 5000 + unit)).toBe(0);
  expect(client.read(163, 1)).toBe(ERRNO.EIO);
  let failures = 3;
  rig.stores[1]!.judge = ({ kind }) => (kind === 'write' && failures-- > 0 ? ERRNO.ENODATA : 0);
  expect(client.write(0, 8, 5000)).toBe(0);
  rig.stores[1]!.judge = () => 0;
  expect(rig.device!.context.table.retiredCount).toBe(1);
  const { superblock } = rig.device!.metadata;
  rig.kill();
  return { rig, client, superblock, map: mapOf(assembled(rig)) };
}

function assembled(rig: DeviceOnMemory): AssembledSet {
  const set = rig.assemble();
  if (!set.ok) throw new Error(`does not assemble: ${set.error.kind}`);
  return set.value;
}

/** All that a set knows of its spare units, but for the times. */
function mapOf({ table, shape }: AssembledSet): string {
  const lines: string[] = [];
  const descriptor = emptyDescriptor();
  for (let spareUnit = 0; spareUnit < shape.spareUnitCount; spareUnit += 1) {
    table.get(spareUnit, descriptor);
    const { state, mainUnit, lostMask, moveCount } = descriptor;
    if (state !== 0) lines.push(`${spareUnit}: ${state} ${mainUnit} ${lostMask} ${moveCount}`);
  }
  return lines.join('\n');
}

/** Nothing is left that a start would repair. */
function expectWhole(rig: DeviceOnMemory): void {
  const { choice, load, supersededPages } = assembled(rig);
  expect(choice.repairs).toEqual([]);
  expect(choice.needsTwoUpdates).toBe(false);
  expect([load.inPlaceRepairs, load.repairTwice, load.lostPages, supersededPages]).toEqual([[], [], [], []]);
}

/** The map is right, what is on the units is right, and a start has made the metadata whole again. */
function expectRecovers(rig: DeviceOnMemory, client: TestClient, map: string): void {
  expect(mapOf(assembled(rig))).toBe(map);
  rig.open();
  for (const unit of [0, 7, 19]) expect(client.read(unit * 8, 8)).toEqual(times(8, 5000 + unit));
  expect(client.read(160, 3)).toEqual(original(160, 3));
  expect(client.read(163, 1)).toBe(ERRNO.EIO);
  rig.close();
  expectWhole(rig);
  expect(mapOf(assembled(rig))).toBe(map);
}

const random = xorshift(77);
const DAMAGE: readonly [string, (bytes: Uint8Array) => void][] = [
  ['zeroed', (bytes) => bytes.fill(0)],
  ['overwritten', (bytes) => bytes.fill(0xa5)],
  [
    'rotten',
    (bytes) => {
      for (let at = 0; at < bytes.length; at += 512)
        bytes[at + 100 + (random() % 400)]! ^= 1 << (random() % 8);
    },
  ],
];

describe.each(DAMAGE)('metadata of which all copies but one are %s', (_name, damage) => {
  it.each(COPIES)('is read from copy %i, and a start makes the others whole', (survivor) => {
    const { rig, client, superblock, map } = usedDevice();
    for (const copy of COPIES) if (copy !== survivor) damage(copyOnMedium(rig, superblock, copy));
    // A spare of which no copy is left is taken for what it is by its size only, so that has to be confirmed.
    const homeless = [0, 1].some((spare) => {
      const own = superblock.copies.flatMap((copy, index) => (copy.spareIndex === spare ? [index] : []));
      return !own.includes(survivor);
    });
    expect(homeless).toBe(true);
    const plain = rig.assemble();
    expect(plain.ok ? 'assembled' : plain.error.kind).toBe('spareUnproven');
    const forced = rig.assemble({ force: true });
    expect(forced.ok && mapOf(forced.value)).toBe(map);
    rig.open({ force: true });
    rig.kill();
    expectWhole(rig);
    expectRecovers(rig, client, map);
  });
});

describe('metadata with one whole copy left', () => {
  it.each(COPIES)('on each spare is read, where copy %i is one of them', (survivor) => {
    const { rig, client, superblock, map } = usedDevice();
    const other = COPIES.find(
      (copy) => superblock.copies[copy]!.spareIndex !== superblock.copies[survivor]!.spareIndex,
    )!;
    for (const copy of COPIES) {
      if (copy !== survivor && copy !== other) copyOnMedium(rig, superblock, copy).fill(0xa5);
    }
    // The superblock of the other is left, its pages are not.
    copyOnMedium(rig, superblock, other).fill(0, 16384);
    expectRecovers(rig, client, map);
  });

  it('is repaired after a kill in the middle of repairs, too', () => {
    for (let writes = 1; writes < 30; writes += 1) {
      const { rig, client, superblock, map } = usedDevice();
      for (const copy of [0, 1, 2]) copyOnMedium(rig, superblock, copy).fill(0xa5);
      copyOnMedium(rig, superblock, 3).fill(0, 16384);
      rig.dieAfterWrites(writes);
      expect(() => rig.open()).toThrow('is marked as open');
      rig.kill();
      expectRecovers(rig, client, map);
      if (writes > 10) writes += 4;
    }
  });
});

describe('a torn write', () => {
  it('of a page leaves the map before or after it, and the map after it where one copy is whole', () => {
    for (const wholeCopy of [-1, ...COPIES]) {
      for (const missing of [
        [512, 4096],
        [1024, 4096],
        [0, 512],
      ] as const) {
        const { rig, client, superblock, map: before } = usedDevice();
        const mediaBefore = rig.disks.map((disk) => disk.contents.slice());
        rig.open();
        rig.stores[0]!.judge = ({ kind }) => (kind === 'write' ? ERRNO.ENODATA : 0);
        expect(client.write(400, 8, 6000)).toBe(0);
        rig.kill();
        rig.stores[0]!.judge = () => 0;
        const after = mapOf(assembled(rig));
        expect(after).not.toBe(before);
        for (const copy of COPIES) if (copy !== wholeCopy) tear(rig, mediaBefore, superblock, copy, missing);
        const set = assembled(rig);
        expect(mapOf(set)).toBe(wholeCopy === -1 ? before : after);
        expectRecovers(rig, client, wholeCopy === -1 ? before : after);
        const recovered = rig.open();
        expect(client.read(400, 8)).toEqual(
          recovered.context.table.find(50) === -1 ? original(400, 8) : times(8, 6000),
        );
      }
    }
  });

  it('of the superblock leaves the one before, whichever copies it hits', () => {
    for (let torn = 1; torn < 32; torn += 1) {
      const { rig, client, superblock, map } = usedDevice();
      const now = assembled(rig).choice.superblock;
      const slot = slotOf(now.sequence);
      for (const copy of COPIES) {
        if (((torn >>> copy) & 1) === 1) superblockOnMedium(rig, superblock, copy, slot).fill(0x77, 512);
      }
      const set = assembled(rig);
      expect(set.choice.superblock.sequence).toBe(torn === 31 ? now.sequence - 1 : now.sequence);
      expect(set.choice.needsTwoUpdates).toBe(true);
      if (torn !== 31) expectRecovers(rig, client, map);
    }
  });

  /** Of the newest version of page 0 in this copy, a part never reached the medium. */
  function tear(
    rig: DeviceOnMemory,
    before: readonly Uint8Array[],
    superblock: Superblock,
    copy: number,
    [from, to]: readonly [number, number],
  ): void {
    const disk = before[1 + superblock.copies[copy]!.spareIndex]!;
    const pages = [0, 1].map((slot) => pageOnMedium(rig, superblock, copy, 0, slot));
    const newest = pages.find(
      (page) => Buffer.compare(page, disk.subarray(page.byteOffset, page.byteOffset + page.length)) !== 0,
    );
    expect(newest).toBeDefined();
    newest!.set(disk.subarray(newest!.byteOffset + from, newest!.byteOffset + to), from);
  }
});

describe('a stale copy that comes back', () => {
  it.each(COPIES)('is outvoted by what is newer, and overwritten: copy %i', (copy) => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "0-167", on: [write], error: ENODATA }',
    });
    rig.open();
    const { superblock } = rig.device!.metadata;
    expect(client.write(0, 8, 1)).toBe(0);
    const old = copyOnMedium(rig, superblock, copy).slice();
    for (let unit = 0; unit < 20; unit += 1) expect(client.write(unit * 8, 8, 5000 + unit)).toBe(0);
    rig.close();
    rig.open();
    expect(client.write(160, 8, 5020)).toBe(0);
    rig.kill();
    const map = mapOf(assembled(rig));
    copyOnMedium(rig, superblock, copy).set(old);
    expect(mapOf(assembled(rig))).toBe(map);
    rig.open();
    expect(client.read(160, 8)).toEqual(times(8, 5020));
    rig.close();
    expectWhole(rig);
    expect(copyOnMedium(rig, superblock, copy)).not.toEqual(old);
  });

  it('is refused when it is a whole spare that others went on without', () => {
    const { rig, client } = numberedDevice({
      spareBytes: [2 << 20, 2 << 20],
      faults: 'main:\n  - { sectors: "0-7", on: [write], error: ENODATA }',
    });
    rig.open();
    expect(client.write(0, 8, 5000)).toBe(0);
    rig.close();
    const old = rig.disks[2]!.contents.slice();
    for (let round = 0; round < 2; round += 1) {
      rig.open();
      rig.close();
    }
    rig.disks[2]!.contents.set(old);
    const set = rig.assemble();
    expect(set.ok ? 'assembled' : set.error.kind).toBe('spareStale');
    expect(rig.assemble({ force: true }).ok).toBe(true);
  });
});

describe('a copy that cannot be used for a while and comes back with an update that was cut off', () => {
  /** Of five copies on one spare, the first has an update that the others have not; then it fails for one session. */
  function comesBack(cutOff: (rig: DeviceOnMemory, client: TestClient) => void): void {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "0-167", on: [write], error: ENODATA }',
    });
    rig.open();
    const { superblock } = rig.device!.metadata;
    expect(client.write(0, 8, 5000)).toBe(0);
    cutOff(rig, client);
    rig.kill();
    const end = superblock.copies[1]!.offsetBytes;
    const fail: (typeof rig.stores)[1]['judge'] = (io) =>
      io.kind !== 'flush' && touchesMetadata(io, superblock, 1) && io.offsetBytes < end ? ERRNO.EIO : 0;
    rig.stores[1]!.judge = fail;
    rig.open();
    expect(client.write(16, 8, 7000)).toBe(0);
    rig.kill();
    rig.stores[1]!.judge = () => 0;
    rig.open();
    expect(client.read(0, 8)).toEqual(times(8, 5000));
    expect(client.read(16, 8)).toEqual(times(8, 7000));
    expect(client.read(8, 8)).toEqual(original(8, 8));
    rig.close();
    expectWhole(rig);
  }

  it('does not win where that was the superblock', () => {
    comesBack((rig) => {
      rig.kill();
      rig.dieAfterWrites(1);
      expect(() => rig.open()).toThrow('is marked as open');
    });
  });

  it('does not win where that was the superblock, and more updates were given up before it', () => {
    comesBack((rig) => {
      const { superblock } = rig.device!.metadata;
      const update = (): void =>
        rig.device!.metadata.run(
          (work) => writeSuperblock(work, {}),
          () => {},
        );
      const isWrite = (io: JudgedIo): boolean => io.kind === 'write' && touchesMetadata(io, superblock, 1);
      rig.stores[1]!.judge = (io) => (isWrite(io) ? ERRNO.EIO : 0);
      for (let count = 0; count < 4; count += 1) update();
      rig.scheduler.advance(1000);
      rig.stores[1]!.judge = (io) =>
        isWrite(io) && io.offsetBytes >= superblock.copies[1]!.offsetBytes ? ERRNO.EIO : 0;
      rig.dieAfterWrites(1);
      update();
      rig.scheduler.advance(1000);
    });
  });

  it('does not win where that was a page, nor if more updates were given up before it (seed 3248513446)', () => {
    for (const givenUp of [0, 1, 4])
      comesBack((rig, client) => {
        const { superblock } = rig.device!.metadata;
        const isWrite = (io: JudgedIo): boolean => io.kind === 'write' && touchesMetadata(io, superblock, 1);
        rig.stores[1]!.judge = (io) => (isWrite(io) ? ERRNO.EIO : 0);
        for (let count = 0; count < givenUp; count += 1) expect(client.write(8, 8, 6000)).toBe(ERRNO.EIO);
        rig.stores[1]!.judge = (io) =>
          isWrite(io) && io.offsetBytes >= superblock.copies[1]!.offsetBytes ? ERRNO.EIO : 0;
        rig.dieAfterWrites(2);
        expect(client.write(8, 8, 6000)).toBe(-1);
      });
  });
});

describe('a page of which no version is left', () => {
  it.each(DAMAGE)('stops the set from being assembled when it is %s, by force too', (_name, damage) => {
    const { rig, superblock } = usedDevice();
    for (const copy of COPIES) {
      for (const slot of [0, 1]) damage(pageOnMedium(rig, superblock, copy, 0, slot));
    }
    const expected = { ok: false, error: { kind: 'pagesLost', pages: [0] } };
    expect(rig.assemble()).toEqual(expected);
    expect(rig.assemble({ force: true })).toEqual(expected);
  });

  it('does not matter where it was never used', () => {
    const { rig, client, superblock, map } = usedDevice();
    for (const copy of COPIES) {
      const { pageCapacity } = superblock.copies[copy]!;
      const used = superblock.spares[0]!.initialisedPageCount;
      expect(used).toBeLessThanOrEqual(pageCapacity);
      for (let page = used; page < superblock.spares[1]!.firstUnit / 126; page += 1) {
        for (const slot of [0, 1]) pageOnMedium(rig, superblock, copy, page, slot).fill(0xa5);
      }
    }
    expectRecovers(rig, client, map);
  });
});
