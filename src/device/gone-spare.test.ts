import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import { pageSequence } from '../format/descriptor-page.js';
import { pageOffsetBytes, superblockOffsetBytes } from '../format/layout.js';
import { slotOf } from '../format/superblock.js';
import { FlushHistory, UnflushedWrites } from '../frontends/flush-history.js';
import type { GonePolicy } from './gone-policy.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, times, touchesMetadata } from './testing/numbered-device.js';
import type { JudgedIo } from './testing/scripted-store.js';
import type { TestClient } from './testing/test-client.js';
import { answerAgain, eventKinds, Surroundings, vanish, vanishedAnswer } from './testing/vanishing-device.js';
import { writeSuperblock } from './write-superblock.js';

const { EIO } = ERRNO;
const SPARE = 1;
const HOLD_30_S: GonePolicy = { holdMs: 30_000 };
const BAD_WRITES = 'main:\n  - { sectors: "0-255", on: [write, writeZeroes], error: ENODATA }';

interface Gone {
  readonly rig: DeviceOnMemory;
  readonly client: TestClient;
  readonly around: Surroundings;
}

/** Blocks 0 to 255 of the main device can't be written; unit 0 lives on a spare and holds 5000. */
function openDevice(spareBytes = [4 << 20], onGone = HOLD_30_S, faults = BAD_WRITES): Gone {
  const around = new Surroundings();
  const { rig, client } = numberedDevice({
    spareBytes,
    faults,
    onGone,
    findReturned: around.find,
    volatileCaches: true,
  });
  rig.open();
  expect(client.write(0, 8, 5000)).toBe(0);
  expect(client.flush()).toBe(0);
  return { rig, client, around };
}

/** Every spare unit is free, reserved, mapped or retired: none is used up. */
function expectNoUnitLeaks({ rig }: Gone, mapped: number): void {
  const { allocator, table, counters, doubtfulPlaces, doubtfulUnits } = rig.device!.context;
  const freeNow = allocator.freeCount;
  expect(table.mappedCount).toBe(mapped);
  expect(table.retiredCount).toBe(0);
  expect(counters[Counter.blocksLost]).toBe(0);
  expect([doubtfulPlaces.size, doubtfulUnits.size]).toEqual([0, 0]);
  rig.kill();
  rig.open();
  expect(rig.device!.context.allocator.freeCount).toBe(freeNow);
  expect(rig.device!.context.table.mappedCount).toBe(mapped);
}

describe('a spare that is away for a moment', () => {
  it.each([...Array(24).keys()])('has no unit retired or moved by a write, %i I/Os long', (ioCount) => {
    for (const firstBlock of [0, 8]) {
      const gone = openDevice(undefined, { holdMs: 0 });
      const { rig, client } = gone;
      let left = ioCount;
      rig.stores[SPARE]!.judge = () => (left-- > 0 ? EIO : 0);
      const place = rig.device!.context.table.find(0);
      expect([0, EIO]).toContain(client.write(firstBlock, 8, 6000));
      expect(rig.device!.context.table.retiredCount).toBe(0);
      expect(rig.device!.context.table.find(0)).toBe(place);
    }
  });
});

describe('a spare that vanishes and is waited for', () => {
  it('holds what lives on it, and nothing else', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    vanish(rig, SPARE);
    const read = client.beginRead(2, 4, 1);
    const write = client.beginWrite(4, 2, 6000, false, 2);
    rig.scheduler.advance(5000);
    expect([read.errno, write.errno]).toEqual([undefined, undefined]);
    expect(client.read(512, 8)).toEqual(original(512, 8));
    expect(client.write(512, 8, 6001)).toBe(0);
    expect(rig.device!.goneDevices).toMatchObject([{ target: SPARE, heldRequests: 2 }]);
    answerAgain(rig, SPARE);
    rig.scheduler.advance(1000);
    expect([read.errno, write.errno]).toEqual([0, 0]);
    expect(client.read(0, 8)).toEqual([...times(4, 5000), 6000, 6000, 5000, 5000]);
    expect(eventKinds(rig)).toContain('spareBack');
    expectNoUnitLeaks(gone, 1);
  });

  it('holds writes that need a place on it, and moves them when it is back', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    const freeBefore = rig.device!.context.allocator.freeCount;
    vanish(rig, SPARE);
    const writes = [8, 17, 32].map((block, index) => client.beginWrite(block, 8, 6000 + block, false, index));
    rig.scheduler.advance(10_000);
    expect(writes.map(({ errno }) => errno)).toEqual(times(3, undefined));
    answerAgain(rig, SPARE);
    rig.scheduler.advance(1000);
    expect(writes.map(({ errno }) => errno)).toEqual(times(3, 0));
    expect(rig.device!.context.allocator.freeCount).toBe(freeBefore - 4);
    expectNoUnitLeaks(gone, 5);
    expect(client.read(8, 8)).toEqual(times(8, 6008));
    expect(client.read(16, 16)).toEqual([17, ...times(8, 6017), ...original(25, 7)]);
  });

  it('holds a flush, if it has taken writes', () => {
    const { rig, client } = openDevice();
    vanish(rig, SPARE);
    expect(client.flush()).toBe(0);
    answerAgain(rig, SPARE);
    expect(client.write(0, 8, 5001)).toBe(0);
    vanish(rig, SPARE);
    const flush = client.beginFlush();
    rig.scheduler.advance(5000);
    expect(flush.errno).toBeUndefined();
    answerAgain(rig, SPARE);
    rig.scheduler.advance(1000);
    expect(flush.errno).toBe(0);
  });

  it('fails what waited too long, and nothing of it was moved or lost', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    vanish(rig, SPARE);
    expect(client.write(8, 8, 6000)).toBe(EIO);
    expect(client.read(0, 8)).toBe(EIO);
    expect(rig.events).toContainEqual({ kind: 'holdExpired', target: SPARE, failedRequests: 1 });
    answerAgain(rig, SPARE);
    rig.scheduler.advance(1000);
    expect(client.read(0, 16)).toEqual([...times(8, 5000), ...original(8, 8)]);
    expectNoUnitLeaks(gone, 1);
  });

  it('leaves new bad sectors to another one meanwhile, and gets the map again when it is back', () => {
    const gone = openDevice([2 << 20, 2 << 20]);
    const { rig, client } = gone;
    vanish(rig, SPARE);
    for (let unit = 1; unit < 20; unit += 1) expect(client.write(unit * 8, 8, 6000 + unit)).toBe(0);
    rig.scheduler.advance(1000);
    expect(rig.device!.goneDevices).toMatchObject([{ target: SPARE, heldRequests: 0 }]);
    answerAgain(rig, SPARE);
    rig.scheduler.advance(1000);
    expect(rig.device!.goneDevices).toEqual([]);
    rig.kill();
    const found = rig.assemble();
    expect(found.ok && [found.value.choice.repairs, found.value.load.inPlaceRepairs]).toEqual([[], []]);
    expect(found.ok && found.value.load.repairTwice).toEqual([]);
    rig.open();
    for (let unit = 1; unit < 20; unit += 1) expect(client.read(unit * 8, 8)).toEqual(times(8, 6000 + unit));
  });

  it('gets the map again, also if it goes away once more while it gets it (seed 920002479)', () => {
    const gone = openDevice([2 << 20, 2 << 20]);
    const { rig, client } = gone;
    vanish(rig, SPARE);
    for (let unit = 1; unit < 3; unit += 1) expect(client.write(unit * 8, 8, 6000 + unit)).toBe(0);
    rig.scheduler.advance(1000);
    const copies = rig.device!.metadata.superblock.copies.filter(({ spareIndex }) => spareIndex === 0);
    const isOfPage = ({ offsetBytes }: JudgedIo): boolean =>
      copies.some(
        (copy) =>
          offsetBytes >= pageOffsetBytes(copy, 0, 0) &&
          offsetBytes <= pageOffsetBytes(copy, copy.pageCapacity - 1, 1),
      );
    let state: 'there' | 'away' | 'back' = 'there';
    rig.stores[SPARE]!.judge = (io) => {
      if (state === 'there' && io.kind === 'write' && isOfPage(io)) state = 'away';
      if (state === 'away' && io.kind === 'read') state = 'back';
      return state === 'away' ? vanishedAnswer(io) : 0;
    };
    rig.scheduler.advance(3000);
    expect([state, rig.device!.goneDevices]).toEqual(['back', []]);
    rig.kill();
    const found = rig.assemble();
    expect(found.ok && [found.value.load.inPlaceRepairs, found.value.load.repairTwice]).toEqual([[], []]);
  });

  it('gets the map again, also if it is back before a commit that has missed it is at its end', () => {
    const slowPages = 'spare2:\n  - { sectors: "32-191", on: [write], delayMs: 3000 }';
    const gone = openDevice([2 << 20, 2 << 20], HOLD_30_S, `${BAD_WRITES}\n${slowPages}`);
    const { rig, client } = gone;
    vanish(rig, SPARE);
    client.beginRead(0, 8, 1);
    rig.scheduler.advance(1000);
    const write = client.beginWrite(8, 8, 6000);
    rig.scheduler.advance(1000);
    answerAgain(rig, SPARE);
    rig.scheduler.advance(1500);
    expect(write.errno).toBeUndefined();
    rig.scheduler.advance(30_000);
    expect([write.errno, rig.device!.goneDevices]).toEqual([0, []]);
    rig.kill();
    const found = rig.assemble();
    expect(found.ok && [found.value.choice.repairs, found.value.load.inPlaceRepairs]).toEqual([[], []]);
    expect(found.ok && found.value.load.repairTwice).toEqual([]);
  });

  describe.each([
    ['the data is written', (io: JudgedIo) => io.kind === 'write'],
    ['the data is flushed', (io: JudgedIo) => io.kind === 'flush'],
    [
      'the map is written',
      (io: JudgedIo, rig: DeviceOnMemory) => touchesMetadata(io, rig.device!.metadata.superblock, SPARE),
    ],
  ])('while %s', (_name, isTheMoment) => {
    it.each([1, 2, 3, 5, 7])('(time %i of that) delays the write, and no spare unit is used up', (count) => {
      const gone = openDevice();
      const { rig, client } = gone;
      let left = count;
      rig.stores[SPARE]!.judge = (io) => {
        if (!isTheMoment(io, rig)) return 0;
        left -= 1;
        if (left > 0) return 0;
        rig.stores[SPARE]!.judge = vanishedAnswer;
        return vanishedAnswer(io);
      };
      const write = client.beginWrite(10, 4, 6000);
      rig.scheduler.advance(5000);
      expect(write.errno).toBe(left > 0 ? 0 : undefined);
      answerAgain(rig, SPARE);
      rig.scheduler.advance(1000);
      expect(write.errno).toBe(0);
      for (let round = 0; round < 2; round += 1) {
        expect(client.read(8, 8)).toEqual([9, 10, ...times(4, 6000), 15, 16]);
        expectNoUnitLeaks(gone, 2);
      }
    });
  });
});

/** The spare answers until so many flushes have been asked for; the last fails, and all that it was for is torn. */
function tearAtFlush(rig: DeviceOnMemory, flushNumber: number): void {
  let flushesLeft = flushNumber;
  let written: JudgedIo[] = [];
  rig.stores[SPARE]!.judge = (io) => {
    if (io.kind === 'write') written.push(io);
    if (io.kind !== 'flush') return 0;
    flushesLeft -= 1;
    if (flushesLeft > 0) {
      written = [];
      return 0;
    }
    for (const { offsetBytes } of written)
      rig.disks[SPARE]!.contents.fill(0x5a, offsetBytes + 100, offsetBytes + 200);
    rig.stores[SPARE]!.judge = vanishedAnswer;
    return EIO;
  };
}

it('A spare that is back and takes no writes costs the others nothing, however long that lasts', () => {
  const { rig, client } = openDevice([2 << 20, 2 << 20]);
  vanish(rig, SPARE);
  expect(client.write(8, 8, 6000)).toBe(0);
  rig.scheduler.advance(1000);
  rig.stores[SPARE]!.judge = ({ kind }) => (kind === 'write' ? EIO : 0);
  rig.scheduler.advance(3000);
  expect(rig.device!.goneDevices).toMatchObject([{ target: SPARE }]);
  const writesToOther = rig.stores[SPARE + 1]!.counts.write;
  rig.scheduler.advance(60_000);
  expect(rig.stores[SPARE + 1]!.counts.write - writesToOther).toBe(0);
  answerAgain(rig, SPARE);
  rig.scheduler.advance(2000);
  expect(rig.device!.goneDevices).toEqual([]);
  rig.kill();
  rig.open();
  expect(client.read(0, 16)).toEqual([...times(8, 5000), ...times(8, 6000)]);
});

describe('a spare that comes back under another name', () => {
  /** `prepare` happens while it is gone; `contents` is what turns up. */
  function returnWith(gone: Gone, contents: Uint8Array, judge: (io: JudgedIo) => number = () => 0): void {
    const { rig, client, around } = gone;
    vanish(rig, SPARE);
    client.beginRead(0, 8, 3);
    rig.scheduler.advance(2000);
    around.bring(rig, SPARE, contents, 'identity', judge);
    rig.scheduler.advance(1000);
  }

  function refusalOf(rig: DeviceOnMemory): unknown {
    const refusals = rig.events.filter((event) => event.kind === 'returnRefused');
    return refusals.map(({ refusal }) => refusal.kind);
  }

  it('is taken back, with what was in doubt written again', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    let metadataWrites = 0;
    rig.stores[SPARE]!.judge = (io) => {
      if (io.kind !== 'write' || !touchesMetadata(io, rig.device!.metadata.superblock, SPARE)) return 0;
      metadataWrites += 1;
      if (metadataWrites > 2) rig.stores[SPARE]!.judge = vanishedAnswer;
      return 0;
    };
    const write = client.beginWrite(8, 8, 6000);
    rig.scheduler.advance(1500);
    expect(write.errno).toBeUndefined();
    returnWith(gone, rig.disks[SPARE]!.contents);
    expect(write.errno).toBe(0);
    expect(refusalOf(rig)).toEqual([]);
    expect(eventKinds(rig)).toEqual(expect.arrayContaining(['reconnected', 'spareBack']));
    expect(client.read(0, 16)).toEqual([...times(8, 5000), ...times(8, 6000)]);
    expectNoUnitLeaks(gone, 2);
  });

  it('has every writer told once that unflushed writes to it may be lost, as they are', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    const history = new FlushHistory(new UnflushedWrites(rig.device!));
    history.writeStarted();
    expect(client.write(0, 8, 5001)).toBe(0);
    history.writeFinished();
    rig.loseCache(SPARE);
    returnWith(gone, rig.disks[SPARE]!.contents);
    expect(client.read(0, 8)).toEqual(times(8, 5000));
    expect(history.flushFinished(history.flushStarted(), client.flush() === 0)).toBe(false);
    expect(history.flushFinished(history.flushStarted(), client.flush() === 0)).toBe(true);
  });

  const FAILURES = [1, 2, 3].flatMap((flush) => [1, 2].map((missedCount) => ({ flush, missedCount })));

  it.each(
    FAILURES,
  )('is taken back if its flushes failed when it was back before, $flush, $missedCount (seed 298809130)', ({
    flush,
    missedCount,
  }) => {
    const gone = openDevice([2 << 20, 2 << 20]);
    const { rig, client } = gone;
    vanish(rig, SPARE);
    for (let unit = 1; unit < 3; unit += 1) expect(client.write(unit * 8, 8, 6000 + unit)).toBe(0);
    rig.scheduler.advance(1000);
    for (let update = 0; update < missedCount; update += 1)
      rig.device!.metadata.run(
        (work) => writeSuperblock(work, {}),
        () => {},
      );
    rig.scheduler.advance(1000);
    tearAtFlush(rig, flush);
    rig.scheduler.advance(2000);
    const read = client.beginRead(0, 8, 3);
    rig.scheduler.advance(2000);
    expect(read.errno).toBeUndefined();
    expect(rig.device!.goneDevices).toMatchObject([{ target: SPARE }]);
    gone.around.bring(rig, SPARE, rig.disks[SPARE]!.contents);
    rig.scheduler.advance(2000);
    expect([refusalOf(rig), rig.device!.goneDevices]).toEqual([[], []]);
    expect(client.read(0, 24)).toEqual([5000, 6001, 6002].flatMap((value) => times(8, value)));
    rig.kill();
    rig.open();
    expect(client.read(0, 24)).toEqual([5000, 6001, 6002].flatMap((value) => times(8, value)));
  });

  it('is refused if it lacks a part of the map that it had', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    const older = rig.disks[SPARE]!.contents.slice();
    expect(client.write(8, 8, 6000)).toBe(0);
    returnWith(gone, older);
    expect(refusalOf(rig)).toEqual(['staleSpare']);
    expect(rig.device!.goneDevices).toMatchObject([{ target: SPARE, heldRequests: 1 }]);
  });

  it('is refused if its superblock is older than the last one that it took', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    rig.kill();
    const older = rig.disks[SPARE]!.contents.slice();
    rig.open();
    expect(client.read(0, 8)).toEqual(times(8, 5000));
    returnWith(gone, older);
    expect(refusalOf(rig)).toEqual(['staleSpare']);
  });

  it('is refused if it is older, though it has missed updates and a copy of it is damaged', () => {
    const gone = openDevice([2 << 20, 2 << 20]);
    const { rig } = gone;
    const { copies } = rig.device!.metadata.superblock;
    rig.kill();
    const older = rig.disks[SPARE]!.contents.slice();
    const own = copies.find(({ spareIndex }) => spareIndex === SPARE - 1)!;
    older.fill(0x5a, own.offsetBytes + 100, own.offsetBytes + 200);
    older.fill(0x5a, own.offsetBytes + 4196, own.offsetBytes + 4296);
    rig.open();
    vanish(rig, SPARE);
    for (let update = 0; update < 2; update += 1)
      rig.device!.metadata.run(
        (work) => writeSuperblock(work, {}),
        () => {},
      );
    rig.scheduler.advance(1000);
    returnWith(gone, older);
    expect(refusalOf(rig)).toEqual(['staleSpare']);
  });

  it('is refused if it is another spare of the set, or none at all', () => {
    const gone = openDevice([2 << 20, 2 << 20]);
    const { rig } = gone;
    returnWith(gone, rig.disks[2]!.contents.slice());
    gone.around.bring(rig, SPARE, new Uint8Array(2 << 20));
    rig.scheduler.advance(1000);
    gone.around.bring(rig, SPARE, rig.disks[0]!.contents.slice(0, 2 << 20));
    rig.scheduler.advance(1000);
    expect(refusalOf(rig)).toEqual(['otherSpare']);
    expect(gone.around.refusedCount).toBe(3);
  });

  it('keeps no write waiting that needs a commit while it answers nothing, and is refused where that comes to nothing', () => {
    const gone = openDevice([2 << 20, 2 << 20]);
    const { rig, client } = gone;
    vanish(rig, SPARE);
    const read = client.beginRead(0, 8, 3);
    rig.scheduler.advance(2000);
    const silent = gone.around.bringSilent(rig, SPARE);
    rig.scheduler.advance(1000);
    const write = client.beginWrite(8, 8, 6000, false, 2);
    rig.scheduler.advance(1000);
    expect([read.errno, write.errno]).toEqual([undefined, 0]);
    silent.answer(EIO);
    rig.scheduler.advance(100);
    expect([refusalOf(rig), gone.around.refusedCount]).toEqual([['unusable'], 1]);
    gone.around.bring(rig, SPARE, rig.disks[SPARE]!.contents);
    rig.scheduler.advance(2000);
    silent.answer(EIO);
    rig.scheduler.advance(2000);
    expect([read.errno, rig.device!.goneDevices]).toEqual([0, []]);
    expect(client.read(0, 16)).toEqual([...times(8, 5000), ...times(8, 6000)]);
  });

  it('is not taken for another one if it is gone again while it is looked at', () => {
    const gone = openDevice();
    const { rig, around } = gone;
    returnWith(gone, rig.disks[SPARE]!.contents, () => EIO);
    expect(refusalOf(rig)).toEqual(['unusable']);
    around.bring(rig, SPARE, rig.disks[SPARE]!.contents);
    rig.scheduler.advance(1000);
    expect(eventKinds(rig)).toContain('spareBack');
  });

  it.each([
    'superblock',
    'page',
  ] as const)('is not taken for an older one if its newest %s is not given just then (seed 1468)', (part) => {
    const gone = openDevice();
    const { rig, client, around } = gone;
    expect(client.write(8, 8, 6000)).toBe(0);
    const { superblock } = rig.device!.metadata;
    const { contents } = rig.disks[SPARE]!;
    const sequenceIn = (slot: number): number =>
      pageSequence(contents.subarray(pageOffsetBytes(superblock.copies[0]!, 0, slot)));
    const newest = superblock.copies.map((copy) =>
      part === 'superblock'
        ? superblockOffsetBytes(copy, slotOf(superblock.sequence))
        : pageOffsetBytes(copy, 0, sequenceIn(0) > sequenceIn(1) ? 0 : 1),
    );
    const isNewest = (io: JudgedIo): boolean =>
      newest.some((at) => at >= io.offsetBytes && at < io.offsetBytes + io.lengthBytes);
    returnWith(gone, contents, (io) => (isNewest(io) ? EIO : 0));
    expect(refusalOf(rig)).toEqual(['unusable']);
    around.bring(rig, SPARE, contents);
    rig.scheduler.advance(1000);
    expect(eventKinds(rig)).toContain('spareBack');
  });

  it('is refused if somebody has opened it meanwhile', () => {
    const gone = openDevice();
    const { rig, client, around } = gone;
    const elsewhere = numberedDevice({ spareBytes: [4 << 20], faults: BAD_WRITES });
    elsewhere.rig.disks[SPARE]!.contents.set(rig.disks[SPARE]!.contents);
    elsewhere.rig.open();
    vanish(rig, SPARE);
    client.beginRead(0, 8, 3);
    rig.scheduler.advance(2000);
    around.bring(rig, SPARE, elsewhere.rig.disks[SPARE]!.contents);
    rig.scheduler.advance(1000);
    expect(refusalOf(rig)).toEqual(['usedElsewhere']);
  });

  it('is repaired like at a start where copies of the map are damaged', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    const { copies } = rig.device!.metadata.superblock;
    vanish(rig, SPARE);
    const read = client.beginRead(0, 8, 3);
    rig.scheduler.advance(2000);
    const { contents } = rig.disks[SPARE]!;
    for (const copy of copies.slice(0, 3)) contents.fill(0xff, copy.offsetBytes, copy.offsetBytes + 65_536);
    gone.around.bring(rig, SPARE, contents);
    rig.scheduler.advance(1000);
    expect(read.errno).toBe(0);
    rig.kill();
    const found = rig.assemble();
    expect(found.ok && [found.value.choice.repairs, found.value.load.inPlaceRepairs]).toEqual([[], []]);
    expect(found.ok && found.value.load.repairTwice).toEqual([]);
  });
});
