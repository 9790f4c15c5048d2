import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, times } from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';
import { answerAgain, eventKinds, Surroundings, vanish, vanishedAnswer } from './testing/vanishing-device.js';

const MIB = 1 << 20;
const BLOCKS_PER_MIB = 2048;
const { EIO } = ERRNO;
const MAIN = 0;
const SPARE = 1;
/** The disk that is filled: behind the main device and the spare. */
const REPLACEMENT_DISK = 2;

interface Halfway {
  readonly rig: DeviceOnMemory;
  readonly client: TestClient;
}

/**
 * The main device, 4 MiB, is gone after its first region was copied; block 100 was written after that. Blocks 7000 to 7007
 * live on the spare and hold 9000.
 */
function goneHalfway(spareMib: number): Halfway {
  const device = numberedDevice({
    spareBytes: [spareMib * MIB, 4 * MIB],
    furtherDiskCount: 1,
    onGone: { holdMs: 0 },
    faults: 'main:\n  - { sectors: "7000-7007", on: [write], error: ENODATA }',
  });
  const { rig, client } = device;
  rig.open();
  expect(client.write(7000, 8, 9000)).toBe(0);
  rig.stores[MAIN]!.judge = ({ kind, offsetBytes }) =>
    kind === 'read' && offsetBytes >= MIB && offsetBytes < 2 * MIB ? EIO : 0;
  rig.evacuateTo(REPLACEMENT_DISK);
  rig.stores[REPLACEMENT_DISK]!.judge = ({ kind, offsetBytes }) => {
    if (kind === 'write' && offsetBytes === 0) vanish(rig, MAIN);
    return 0;
  };
  rig.scheduler.advance(5000);
  expect(rig.device!.replacement.progress).toMatchObject({ state: 'copying', everCopiedBytes: MIB });
  return { rig, client };
}

function untilOver(rig: DeviceOnMemory): string {
  for (let turns = 0; rig.device!.replacement.progress!.state === 'copying' && turns < 1000; turns += 1)
    rig.scheduler.advance(100);
  return rig.device!.replacement.progress!.state;
}

function expectWhatWasSaved(client: TestClient): void {
  expect(client.read(0, BLOCKS_PER_MIB)).toEqual(original(0, BLOCKS_PER_MIB));
  expect(client.read(7000, 8)).toEqual(times(8, 9000));
  for (const lost of [BLOCKS_PER_MIB, 6999, 7008, 4 * BLOCKS_PER_MIB - 1])
    expect(client.read(lost, 1)).toBe(EIO);
}

describe('a main device that is gone for good while it is copied', () => {
  it('is waited for, until somebody accepts the loss', () => {
    const { rig } = goneHalfway(8);
    rig.scheduler.advance(60_000);
    expect(rig.device!.replacement.progress).toMatchObject({ state: 'copying', isWaiting: true });
    expect(rig.device!.context.table.mappedCount).toBe(1);
  });

  it('gives way to what was saved: the rest is lost until it is written, and the replacement takes over', () => {
    const { rig, client } = goneHalfway(8);
    rig.device!.replacement.acceptLoss();
    expect(untilOver(rig)).toBe('copied');
    expectWhatWasSaved(client);
    expect(client.write(3000, 8, 7000)).toBe(0);
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(true);
    rig.open();
    expectWhatWasSaved(client);
    expect(client.read(3000, 8)).toEqual(times(8, 7000));
    expect(client.write(0, 8, 6000)).toBe(0);
    expect(client.read(0, 8)).toEqual(times(8, 6000));
  });

  it('has nothing more lost when it is back in the midst', () => {
    const { rig, client } = goneHalfway(8);
    rig.stores[SPARE]!.judge = () => {
      if (!eventKinds(rig).includes('lost')) return 0;
      for (const disk of [SPARE, MAIN, REPLACEMENT_DISK]) answerAgain(rig, disk);
      rig.device!.context.breaker.close();
      return 0;
    };
    rig.device!.replacement.acceptLoss();
    expect(untilOver(rig)).toBe('copied');
    // A piece of a region at a time, by each of the copiers.
    const { unitsWithLossCount } = rig.device!.context.table;
    expect([unitsWithLossCount > 0, unitsWithLossCount < 3 * 32]).toEqual([true, true]);
    for (const end of [2, 3, 4])
      expect(client.read(end * BLOCKS_PER_MIB - 8, 8)).toEqual(original(end * BLOCKS_PER_MIB - 8, 8));
  });

  it('is waited for again when it was back and goes once more', () => {
    const { rig } = goneHalfway(8);
    const { table } = rig.device!.context;
    // The spare is away until the main device is back, which proves to be alive and gives nothing that is to be copied.
    rig.stores[SPARE]!.judge = () => {
      if (!eventKinds(rig).includes('lost')) return 0;
      rig.stores[MAIN]!.judge = (io) => (io.lengthBytes <= 512 ? 0 : vanishedAnswer(io));
      vanish(rig, SPARE);
      return ERRNO.ENODEV;
    };
    rig.device!.replacement.acceptLoss();
    rig.scheduler.advance(5000);
    answerAgain(rig, SPARE);
    rig.scheduler.advance(5000);
    expect(rig.device!.goneDevices).toEqual([]);
    const lostUnits = table.unitsWithLossCount;
    expect([lostUnits > 0, lostUnits < 3 * 32]).toEqual([true, true]);
    vanish(rig, MAIN);
    rig.scheduler.advance(60_000);
    expect(rig.device!.goneDevices).toMatchObject([{ target: MAIN }]);
    expect(rig.device!.replacement.progress).toMatchObject({ state: 'copying', isWaiting: true });
    expect(table.unitsWithLossCount).toBe(lostUnits);
  });

  it('is copied again when it is taken back without what its cache held', () => {
    const around = new Surroundings();
    const { rig, client } = numberedDevice({
      spareBytes: [8 * MIB, 4 * MIB],
      furtherDiskCount: 1,
      findReturned: around.find,
      volatileCaches: true,
    });
    rig.open();
    rig.evacuateTo(REPLACEMENT_DISK);
    expect(untilOver(rig)).toBe('copied');
    expect(client.write(100, 8, 7000)).toBe(0);
    rig.loseCache(MAIN);
    vanish(rig, MAIN);
    expect(client.write(200, 8, 7000)).toBe(EIO);
    rig.device!.replacement.acceptLoss();
    around.bring(rig, MAIN, rig.disks[MAIN]!.contents);
    rig.scheduler.advance(10_000);
    expect(rig.device!.goneDevices).toEqual([]);
    expect(untilOver(rig)).toBe('copied');
    expect(client.read(100, 8)).toEqual(original(100, 8));
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(true);
    rig.open();
    expect(client.read(100, 8)).toEqual(original(100, 8));
  });

  it('is copied again when it is back where it was, and has gone back to what it held', () => {
    const { rig, client } = numberedDevice({
      spareBytes: [8 * MIB, 4 * MIB],
      furtherDiskCount: 1,
      volatileCaches: true,
      onGone: { holdMs: 0 },
    });
    rig.open();
    rig.evacuateTo(REPLACEMENT_DISK);
    expect(untilOver(rig)).toBe('copied');
    expect(client.write(100, 8, 7000)).toBe(0);
    rig.loseCache(MAIN);
    vanish(rig, MAIN);
    expect(client.write(200, 8, 7000)).toBe(EIO);
    expect(client.flush()).toBe(EIO);
    rig.device!.replacement.acceptLoss();
    expect(untilOver(rig)).toBe('copied');
    answerAgain(rig, MAIN);
    rig.scheduler.advance(10_000);
    expect(rig.device!.goneDevices).toEqual([]);
    expect(untilOver(rig)).toBe('copied');
    const read = client.read(100, 8);
    expect(read).toEqual(original(100, 8));
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(true);
    rig.open();
    expect(client.read(100, 8)).toEqual(read);
  });

  it('is no reason to make anything up where the spares have no room to remember what is lost', () => {
    const { rig } = goneHalfway(2);
    rig.device!.replacement.acceptLoss();
    expect(untilOver(rig)).toBe('incomplete');
    expect(rig.device!.replacement.progress!.unreadableUnits).toBeGreaterThan(0);
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(false);
  });

  it('keeps the last word of the replacement where a flush failed as the main device went', () => {
    const { rig, client } = goneHalfway(8);
    rig.device!.context.mirror.noteStale(rig.device!.context.filter, 0, 4 * MIB);
    expect(client.read(0, 8)).toBe(EIO);
    rig.device!.replacement.acceptLoss();
    expect(untilOver(rig)).toBe('copied');
    rig.device!.context.mirror.noteStale(rig.device!.context.filter, 0, 4 * MIB);
    expect(rig.cutOver(REPLACEMENT_DISK)).toBe(true);
    rig.open();
    expectWhatWasSaved(client);
  });
});
