import { describe, expect, it } from 'vitest';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, times, touchesMetadata } from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';
import { answerAgain, Surroundings, vanish, vanishedAnswer } from './testing/vanishing-device.js';

const SPARE = 1;

/** All five copies are on one spare; unit 0 has moved there, and units 1 to 31 can't be written in place. */
function openDevice(): { rig: DeviceOnMemory; client: TestClient } {
  const { rig, client } = numberedDevice({
    spareBytes: [4 << 20],
    faults: 'main:\n  - { sectors: "0-255", on: [write], error: ENODATA }',
    onGone: { holdMs: 30_000 },
    findReturned: new Surroundings().find,
    volatileCaches: true,
  });
  rig.open();
  expect(client.write(0, 8, 5000)).toBe(0);
  return { rig, client };
}

/** From the nth write of metadata on, until it is asked to flush: that flush finds everything it took. */
function goAwayBetweenCopies(rig: DeviceOnMemory, nth: number): () => boolean {
  let writesLeft = nth;
  let state: 'there' | 'away' | 'back' = 'there';
  rig.stores[SPARE]!.judge = (io) => {
    const isMetadata = touchesMetadata(io, rig.device!.metadata.superblock, SPARE);
    if (state === 'there' && io.kind === 'write' && isMetadata && --writesLeft === 0) state = 'away';
    if (state === 'away' && io.kind !== 'write') state = 'back';
    return state === 'away' ? vanishedAnswer(io) : 0;
  };
  return () => state === 'back';
}

/** As soon as metadata is written; the map has missed something then. */
function goAwayWithCommit(rig: DeviceOnMemory): void {
  rig.stores[SPARE]!.judge = (io) => {
    if (io.kind !== 'write' || !touchesMetadata(io, rig.device!.metadata.superblock, SPARE)) return 0;
    vanish(rig, SPARE);
    return vanishedAnswer(io);
  };
}

function expectNothingToRepair(rig: DeviceOnMemory): void {
  answerAgain(rig, SPARE);
  rig.kill();
  const found = rig.assemble();
  expect(found.ok && [found.value.choice.repairs, found.value.load.inPlaceRepairs]).toEqual([[], []]);
  expect(found.ok && found.value.load.repairTwice).toEqual([]);
}

describe('copies of which some took an update before their spare went away, and some did not', () => {
  it.each([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  ])('are all complete once it is back, also while they are completed (write %i; seed 4187876424)', (nth) => {
    const { rig, client } = openDevice();
    goAwayWithCommit(rig);
    const write = client.beginWrite(8, 8, 6000);
    rig.scheduler.advance(1000);
    expect(rig.device!.goneDevices).toMatchObject([{ target: SPARE, heldRequests: 1 }]);
    const hasHappened = goAwayBetweenCopies(rig, nth);
    rig.scheduler.advance(5000);
    expect([hasHappened(), write.errno, rig.device!.goneDevices]).toEqual([true, 0, []]);
    expect(client.read(8, 8)).toEqual(times(8, 6000));
    expectNothingToRepair(rig);
  });

  it.each([
    1, 2, 3, 4, 5,
  ])('are all complete once it is back, though it had missed nothing (write %i)', (nth) => {
    const { rig, client } = openDevice();
    const hasHappened = goAwayBetweenCopies(rig, nth);
    expect(client.write(8, 8, 6000)).toBe(0);
    expect(hasHappened()).toBe(true);
    vanish(rig, SPARE);
    const read = client.beginRead(0, 8, 1);
    rig.scheduler.advance(1000);
    expect(rig.device!.goneDevices).toMatchObject([{ target: SPARE }]);
    answerAgain(rig, SPARE);
    rig.scheduler.advance(5000);
    expect([read.errno, rig.device!.goneDevices]).toEqual([0, []]);
    expectNothingToRepair(rig);
  });
});
