import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import { FlushHistory, UnflushedWrites } from '../frontends/flush-history.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, times, touchesBlocks } from './testing/numbered-device.js';
import { type BegunRequest, TestClient } from './testing/test-client.js';
import { answerAgain, eventKinds, Surroundings, vanish, vanishedAnswer } from './testing/vanishing-device.js';

const { EIO, ENODATA } = ERRNO;
const MAIN = 0;
const HOLD_30_S = { holdMs: 30_000 };

interface Gone {
  readonly rig: DeviceOnMemory;
  readonly client: TestClient;
  readonly around: Surroundings;
}

function openDevice(onGone = HOLD_30_S, faults?: string): Gone {
  const around = new Surroundings();
  const { rig, client } = numberedDevice({
    onGone,
    findReturned: around.find,
    volatileCaches: true,
    ...(faults !== undefined && { faults }),
  });
  rig.open();
  rig.device!.rememberContent();
  rig.scheduler.advance(0);
  return { rig, client, around };
}

/** Every kind of request that has an answer to wait for. */
function beginAll(client: TestClient): Record<string, BegunRequest> {
  return {
    read: client.beginRead(64, 8, 1),
    write: client.beginWrite(128, 8, 5000, false, 0),
    durableWrite: client.beginWrite(160, 8, 5001, true, 2),
    flush: client.beginFlush(),
    zero: client.beginZero(192, 8),
  };
}

function answers(requests: Record<string, BegunRequest>): (number | undefined)[] {
  return Object.values(requests).map(({ errno }) => errno);
}

function expectNothingLost({ rig }: Gone): void {
  const { context } = rig.device!;
  expect(context.counters[Counter.blocksLost]).toBe(0);
  expect(context.table.mappedCount).toBe(0);
  expect(context.doubtfulPlaces.size).toBe(0);
}

describe('a main device that vanishes and is waited for', () => {
  it('holds requests of every kind, and all of them are done when it answers again', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    vanish(rig, MAIN);
    const requests = beginAll(client);
    rig.scheduler.advance(9000);
    expect(answers(requests)).toEqual(times(5, undefined));
    answerAgain(rig, MAIN);
    rig.scheduler.advance(2000);
    expect(answers(requests)).toEqual(times(5, 0));
    expect(client.blocksAt(1, 8)).toEqual(original(64, 8));
    expect(client.read(128, 8)).toEqual(times(8, 5000));
    expect(client.read(160, 8)).toEqual(times(8, 5001));
    expect(client.read(192, 8)).toEqual(times(8, 0));
    expectNothingLost(gone);
  });

  it('holds requests that come later, and says so', () => {
    const { rig, client } = openDevice();
    vanish(rig, MAIN);
    client.beginRead(64, 8, 1);
    rig.scheduler.advance(0);
    const later = { ...beginAll(client), discard: client.beginDiscard(256, 8) };
    rig.scheduler.advance(3000);
    expect(answers(later)).toEqual(times(6, undefined));
    expect(rig.device!.goneDevices).toMatchObject([{ target: MAIN, heldRequests: 7, requestsWait: true }]);
    answerAgain(rig, MAIN);
    rig.scheduler.advance(2000);
    expect(answers(later)).toEqual(times(6, 0));
    expect(rig.device!.goneDevices).toEqual([]);
    expect(rig.events).toContainEqual({ kind: 'heldResumed', target: MAIN, requestCount: 7 });
  });

  it('never says ENOSPC to a writer, which is what the kernel says to us', () => {
    const { rig, client } = openDevice({ holdMs: 1000 });
    vanish(rig, MAIN);
    expect(client.write(64, 8, 5000)).toBe(EIO);
    expect(client.zero(64, 8)).toBe(EIO);
    expect(client.write(67, 2, 5000)).toBe(EIO);
  });

  it('fails what waits after the time that was given, and new requests at once, until it is back', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    vanish(rig, MAIN);
    const requests = beginAll(client);
    rig.scheduler.advance(29_000);
    expect(answers(requests)).toEqual(times(5, undefined));
    rig.scheduler.advance(1500);
    expect(answers(requests)).toEqual(times(5, EIO));
    expect(rig.events).toContainEqual({ kind: 'holdExpired', target: MAIN, failedRequests: 5 });
    const late = { ...beginAll(client), discard: client.beginDiscard(256, 8) };
    rig.scheduler.advance(0);
    expect(answers(late)).toEqual(times(6, EIO));
    answerAgain(rig, MAIN);
    rig.scheduler.advance(2000);
    expect(client.read(64, 8)).toEqual(original(64, 8));
    expectNothingLost(gone);
  });

  it('is waited for again, as long, when it vanishes again', () => {
    const { rig, client } = openDevice();
    for (let round = 0; round < 3; round += 1) {
      vanish(rig, MAIN);
      const request = client.beginRead(64, 8, 1);
      rig.scheduler.advance(27_000);
      expect(request.errno).toBeUndefined();
      answerAgain(rig, MAIN);
      rig.scheduler.advance(2000);
      expect(request.errno).toBe(0);
    }
  });

  it('that comes and goes does not keep a request for longer than was given', () => {
    const { rig, client } = openDevice();
    rig.stores[MAIN]!.judge = (io) => (touchesBlocks(io, 64, 8) ? vanishedAnswer(io) : 0);
    const request = client.beginRead(64, 8, 1);
    rig.scheduler.advance(29_000);
    expect(request.errno).toBeUndefined();
    expect(eventKinds(rig).filter((kind) => kind === 'breakerOpened').length).toBeGreaterThan(3);
    rig.scheduler.advance(3000);
    expect(request.errno).toBe(EIO);
  });

  it('is waited for without end by "hold"', () => {
    const { rig, client } = openDevice({ holdMs: Number.POSITIVE_INFINITY });
    vanish(rig, MAIN);
    const requests = beginAll(client);
    rig.scheduler.advance(600_000);
    expect(answers(requests)).toEqual(times(5, undefined));
    answerAgain(rig, MAIN);
    rig.scheduler.advance(2000);
    expect(answers(requests)).toEqual(times(5, 0));
  });

  it('does not keep the device from being stopped: what waits fails, and so does what comes', () => {
    const { rig, client } = openDevice();
    vanish(rig, MAIN);
    const requests = beginAll(client);
    rig.scheduler.advance(5000);
    rig.device!.endHolding();
    rig.scheduler.advance(0);
    expect(answers(requests)).toEqual(times(5, EIO));
    expect(client.write(64, 8, 1)).toBe(EIO);
    expect(rig.device!.isIdle).toBe(true);
  });

  it('is noticed by a flush alone, which then waits', () => {
    const { rig, client } = openDevice();
    vanish(rig, MAIN);
    const flush = client.beginFlush();
    rig.scheduler.advance(1000);
    expect(flush.errno).toBeUndefined();
    expect(eventKinds(rig)).toContain('breakerOpened');
    answerAgain(rig, MAIN);
    rig.scheduler.advance(2000);
    expect(flush.errno).toBe(0);
  });

  it('lets what lives on a spare go on', () => {
    const { rig, client } = openDevice(
      HOLD_30_S,
      'main:\n  - { sectors: "0-7", on: [write], error: ENODATA }',
    );
    expect(client.write(0, 8, 5000)).toBe(0);
    vanish(rig, MAIN);
    client.beginRead(64, 8, 1);
    rig.scheduler.advance(0);
    expect(client.read(0, 8)).toEqual(times(8, 5000));
    expect(client.write(2, 3, 5001)).toBe(0);
  });

  it('holds a write that was just about to be moved, and moves it afterwards with nothing lost', () => {
    const { rig, client } = openDevice();
    const { context } = rig.device!;
    const freeBefore = context.allocator.freeCount;
    rig.stores[MAIN]!.judge = (io) => {
      if (io.kind !== 'write' || !touchesBlocks(io, 64, 4)) return 0;
      rig.stores[MAIN]!.judge = vanishedAnswer;
      return ENODATA;
    };
    const write = client.beginWrite(64, 4, 5000);
    rig.scheduler.advance(5000);
    expect(write.errno).toBeUndefined();
    rig.stores[MAIN]!.judge = (io) => (io.kind === 'write' && touchesBlocks(io, 64, 4) ? ENODATA : 0);
    rig.scheduler.advance(3000);
    expect(write.errno).toBe(0);
    expect(context.counters[Counter.blocksLost]).toBe(0);
    expect(context.allocator.freeCount).toBe(freeBefore - 1);
    expect(client.read(64, 8)).toEqual([...times(4, 5000), ...original(68, 4)]);
  });

  it('answers at once where requests are not to wait, and is used again when it is back', () => {
    const gone = openDevice({ holdMs: 0 });
    const { rig, client, around } = gone;
    vanish(rig, MAIN);
    expect(client.write(64, 8, 5000)).not.toBe(0);
    rig.scheduler.advance(0);
    expect(client.read(64, 8)).toBe(EIO);
    around.bring(rig, MAIN, rig.disks[MAIN]!.contents);
    rig.scheduler.advance(1000);
    expect(client.read(64, 8)).toEqual(original(64, 8));
    expectNothingLost(gone);
  });
});

describe('a main device that comes back under another name', () => {
  function vanishAndReturn(gone: Gone, contents: Uint8Array, proof?: 'identity' | 'samePath'): BegunRequest {
    const { rig, client, around } = gone;
    vanish(rig, MAIN);
    const read = client.beginRead(64, 8, 1);
    rig.scheduler.advance(2500);
    around.bring(rig, MAIN, contents, proof);
    rig.scheduler.advance(1000);
    return read;
  }

  it('is taken back by its serial number, and requests go on', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    expect(client.write(128, 8, 5000)).toBe(0);
    expect(vanishAndReturn(gone, rig.disks[MAIN]!.contents).errno).toBe(0);
    expect(client.blocksAt(1, 8)).toEqual(original(64, 8));
    expect(client.read(128, 8)).toEqual(times(8, 5000));
    expect(client.write(128, 8, 5001)).toBe(0);
    expect(eventKinds(rig)).toContain('reconnected');
    expectNothingLost(gone);
    rig.kill();
    rig.open();
    expect(client.read(128, 8)).toEqual(times(8, 5001));
  });

  it('has every writer told once that its unflushed writes may be lost, as they are', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    const history = new FlushHistory(new UnflushedWrites(rig.device!));
    expect(client.write(64, 8, 5000)).toBe(0);
    expect(client.flush()).toBe(0);
    history.writeStarted();
    expect(client.write(64, 8, 5001)).toBe(0);
    history.writeFinished();
    rig.loseCache(MAIN);
    vanishAndReturn(gone, rig.disks[MAIN]!.contents);
    expect(client.blocksAt(1, 8)).toEqual(times(8, 5000));
    expect(history.flushFinished(history.flushStarted(), client.flush() === 0)).toBe(false);
    expect(history.flushFinished(history.flushStarted(), client.flush() === 0)).toBe(true);
    expect(rig.events).toContainEqual(expect.objectContaining({ kind: 'reconnected', mayHaveLost: true }));
  });

  it('has nobody told where everything was flushed', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    expect(client.write(64, 8, 5000)).toBe(0);
    expect(client.flush()).toBe(0);
    vanishAndReturn(gone, rig.disks[MAIN]!.contents);
    expect(rig.device!.flushFailureCount).toBe(0);
    expect(rig.events).toContainEqual(expect.objectContaining({ kind: 'reconnected', mayHaveLost: false }));
  });

  it('has a flush that waited told, too', () => {
    const gone = openDevice();
    const { rig, client, around } = gone;
    const history = new FlushHistory(new UnflushedWrites(rig.device!));
    history.writeStarted();
    expect(client.write(64, 8, 5001)).toBe(0);
    history.writeFinished();
    vanish(rig, MAIN);
    const mark = history.flushStarted();
    const flush = client.beginFlush();
    rig.scheduler.advance(2500);
    around.bring(rig, MAIN, rig.disks[MAIN]!.contents);
    rig.scheduler.advance(1000);
    expect(flush.errno).toBe(0);
    expect(history.flushFinished(mark, true)).toBe(false);
  });

  it('without a serial number is taken back by its contents, at the same place', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    expect(client.write(0, 1024, 5000)).toBe(0);
    expect(vanishAndReturn(gone, rig.disks[MAIN]!.contents, 'samePath').errno).toBe(0);
    expect(client.read(0, 8)).toEqual(times(8, 5000));
  });

  it('without a serial number is taken back when other threads have written to it', () => {
    const gone = openDevice();
    const far = new TestClient(gone.rig, gone.rig.addQueue());
    expect(far.write(0, 8, 5000)).toBe(0);
    expect(far.discard(8, 8)).toBe(0);
    expect(far.zero(16, 8)).toBe(0);
    expect(vanishAndReturn(gone, gone.rig.disks[MAIN]!.contents, 'samePath').errno).toBe(0);
    expect(gone.client.read(0, 8)).toEqual(times(8, 5000));
  });

  it('without a serial number is refused if a block is another that nobody wrote, which is said once', () => {
    const gone = openDevice();
    const { rig, around } = gone;
    const other = rig.disks[MAIN]!.contents.slice();
    other[other.length - 1]! ^= 1;
    const read = vanishAndReturn(gone, other, 'samePath');
    rig.scheduler.advance(10_000);
    expect(read.errno).toBeUndefined();
    expect(around.refusedCount).toBeGreaterThan(5);
    const refusals = rig.events.filter(({ kind }) => kind === 'returnRefused');
    expect(refusals).toEqual([
      expect.objectContaining({ refusal: { kind: 'contentDiffers', differingCount: 1 } }),
    ]);
    rig.scheduler.advance(30_000);
    expect(read.errno).toBe(EIO);
  });

  it('without a serial number is refused if everything by which it could be known was written', () => {
    const gone = openDevice();
    const { rig, client } = gone;
    for (let block = 0; block < 8192; block += 1024) expect(client.write(block, 1024, 5000)).toBe(0);
    const read = vanishAndReturn(gone, rig.disks[MAIN]!.contents, 'samePath');
    expect(read.errno).toBeUndefined();
    expect(rig.events).toContainEqual(
      expect.objectContaining({ kind: 'returnRefused', refusal: { kind: 'unrecognised' } }),
    );
  });

  it('without a serial number is not called unknown where it does not give the blocks that tell', () => {
    const gone = openDevice();
    const { rig, client, around } = gone;
    vanish(rig, MAIN);
    const read = client.beginRead(64, 8, 1);
    rig.scheduler.advance(1000);
    around.bring(rig, MAIN, rig.disks[MAIN]!.contents, 'samePath', () => EIO);
    rig.scheduler.advance(1000);
    expect(rig.events).toContainEqual(
      expect.objectContaining({
        kind: 'returnRefused',
        refusal: expect.objectContaining({ kind: 'unusable' }),
      }),
    );
    around.bring(rig, MAIN, rig.disks[MAIN]!.contents, 'samePath');
    rig.scheduler.advance(1000);
    expect(read.errno).toBe(0);
  });

  it('is not known by blocks that are all zero, as they are on any new disk', () => {
    const around = new Surroundings();
    const { rig, client } = numberedDevice({ onGone: HOLD_30_S, findReturned: around.find });
    rig.disks[MAIN]!.contents.fill(0);
    rig.open().rememberContent();
    rig.scheduler.advance(0);
    const read = vanishAndReturn({ rig, client, around }, new Uint8Array(4 << 20), 'samePath');
    expect(read.errno).toBeUndefined();
    expect(eventKinds(rig)).toContain('returnRefused');
  });

  it('and can not be opened is told of with the reason', () => {
    const { rig, client, around } = openDevice();
    vanish(rig, MAIN);
    client.beginRead(64, 8, 1);
    around.bringUnusable(MAIN, 'in use');
    rig.scheduler.advance(5000);
    const refusals = rig.events.filter(({ kind }) => kind === 'returnRefused');
    expect(refusals).toEqual([expect.objectContaining({ refusal: { kind: 'unusable', reason: 'in use' } })]);
  });
});
