import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import { FlushHistory, UnflushedWrites } from '../frontends/flush-history.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, times } from './testing/numbered-device.js';
import { TestClient } from './testing/test-client.js';
import { vanish } from './testing/vanishing-device.js';

const { EIO } = ERRNO;

/** Blocks 8 to 23 refuse writes. */
function openDevice(nativeFua = true): { rig: DeviceOnMemory; client: TestClient } {
  const { rig, client } = numberedDevice({
    nativeFua,
    faults: 'main:\n  - { sectors: "8-23", on: [write], error: ENODATA }',
  });
  rig.open();
  return { rig, client };
}

/** The next flush of this store fails, and only that one. */
function failNextFlush(rig: DeviceOnMemory, target: number): void {
  let failures = 1;
  rig.stores[target]!.judge = ({ kind }) => (kind === 'flush' && failures-- > 0 ? EIO : 0);
}

/** The first read of this unit of the main device is sent when `held` says so. */
function holdRead(rig: DeviceOnMemory, unit: number, held: (release: () => void) => void): void {
  const main = rig.stores[0]!;
  const read = main.read.bind(main);
  let isHeld = false;
  main.read = (ticket, offsetBytes, ...rest) => {
    const send = (): void => read(ticket, offsetBytes, ...rest);
    if (isHeld || offsetBytes !== unit * 4096) return send();
    isHeld = true;
    held(send);
  };
}

/** A client that has written, and not flushed yet. */
function writerWithUnflushedData(rig: DeviceOnMemory): FlushHistory {
  const history = new FlushHistory(new UnflushedWrites(rig.device!));
  history.writeStarted();
  history.writeFinished();
  return history;
}

/** What a client is told of a flush for which the device answers this. */
function toldOfFlush(history: FlushHistory, errno: number): boolean {
  return history.flushFinished(history.flushStarted(), errno === 0);
}

describe('a durable write on disks that take no FUA', () => {
  const queuesOf = (rig: DeviceOnMemory) => [undefined, rig.addQueue()];

  it.each([
    0, 1,
  ])('fails with the flush behind it, of which all clients are told; by way of queue %i', (nth) => {
    const { rig, client } = openDevice(false);
    expect(client.write(64, 8, 5000)).toBe(0);
    const writers = [writerWithUnflushedData(rig), writerWithUnflushedData(rig)];
    const far = new TestClient(rig, queuesOf(rig)[nth]);
    failNextFlush(rig, 0);
    expect(far.write(40, 8, 6000, true)).toBe(EIO);
    expect(rig.device!.flushFailureCount).toBe(1);
    for (const writer of writers) {
      expect(toldOfFlush(writer, client.flush())).toBe(false);
      expect(toldOfFlush(writer, client.flush())).toBe(true);
    }
    expect(rig.device!.context.table.mappedCount).toBe(0);
  });

  it.each([0, 1])('needs only the disk that it goes to; by way of queue %i', (nth) => {
    const { rig, client } = openDevice(false);
    const far = new TestClient(rig, queuesOf(rig)[nth]);
    expect(client.write(8, 8, 5000)).toBe(0);
    vanish(rig, 0);
    expect(client.write(64, 8, 5000)).toBe(EIO);
    expect(rig.device!.context.breaker.isOpen).toBe(true);
    expect(far.write(8, 8, 6000, true)).toBe(0);
    expect(far.write(64, 8, 6000, true)).toBe(EIO);
    expect(client.read(8, 8)).toEqual(times(8, 6000));
  });

  it('waits for a unit without keeping others from the disk', () => {
    const { rig, client } = openDevice(false);
    let letGo = (): void => {};
    holdRead(rig, 100, (release) => {
      letGo = release;
    });
    let moved: number | undefined;
    rig.device!.byHand.move(100, -1, (errno) => {
      moved = errno;
    });
    const waiting = Array.from({ length: 20 }, (_, nth) => client.beginWrite(800 + (nth % 8), 1, 1, true, 1));
    expect(client.write(5000, 1, 6000, true)).toBe(0);
    expect(waiting.map(({ errno }) => errno)).toEqual(times(20, undefined));
    letGo();
    rig.scheduler.advance(60_000);
    expect([moved, ...waiting.map(({ errno }) => errno)]).toEqual(times(21, 0));
  });

  it.each([0, 1])('is written in one piece, and flushed; by way of queue %i', (nth) => {
    const { rig } = openDevice(false);
    const far = new TestClient(rig, queuesOf(rig)[nth]);
    const { counts } = rig.stores[0]!;
    const before = { ...counts };
    expect(far.write(64, 64, 6000, true)).toBe(0);
    expect([counts.write - before.write, counts.flush - before.flush]).toEqual([1, 1]);
    expect(far.write(64, 64, 6000)).toBe(0);
    expect([counts.write - before.write, counts.flush - before.flush]).toEqual([2, 1]);
  });
});

describe('a flush that fails for needs of the device itself', () => {
  it.each([
    ['the durable end of a write that moved a unit', 0, true, EIO],
    ['a metadata commit, after which the unit is placed again', 1, false, 0],
  ])('is told to every client with unflushed writes on its next flush, once: %s', (_name, target, durable, answer) => {
    const { rig, client } = openDevice();
    expect(client.write(64, 8, 5000)).toBe(0);
    const writers = [writerWithUnflushedData(rig), writerWithUnflushedData(rig)];
    failNextFlush(rig, target);
    expect(client.write(8, 8, 6000, durable)).toBe(answer);
    expect(rig.device!.flushFailureCount).toBe(1);
    expect(rig.device!.context.counters[Counter.flushErrors]).toBe(1);
    expect(rig.events.map(({ kind }) => kind)).toContain('flushFailed');
    const errno = client.flush();
    expect(errno).toBe(0);
    for (const writer of writers) {
      expect(toldOfFlush(writer, errno)).toBe(false);
      expect(toldOfFlush(writer, client.flush())).toBe(true);
    }
  });
});

describe('a flush of which one disk has failed while another is still at it', () => {
  it('counts at once, so that no flush that ends before it is believed (found by the simulator, seed 52)', () => {
    const { rig } = openDeviceWithDirtySpare();
    const other = writerWithUnflushedData(rig);
    const held = holdFlushes(rig, 1);
    failNextFlush(rig, 0);
    const answers = sendFlush(rig);
    expect([held.length, answers]).toEqual([1, []]);
    expect(toldOfFlush(other, 0)).toBe(false);
    release(rig, held);
    expect(answers).toEqual([EIO]);
    expect(rig.device!.flushFailureCount).toBe(1);
  });

  it('counts again for the other, so that no flush that began in between is believed (seed 602235)', () => {
    const { rig } = openDeviceWithDirtySpare();
    const history = writerWithUnflushedData(rig);
    const heldOnMain = holdFlushes(rig, 0);
    failNextFlush(rig, 1);
    const firstBegun = history.flushStarted();
    const first = sendFlush(rig);
    const secondBegun = history.flushStarted();
    const second = sendFlush(rig);
    failNextFlush(rig, 0);
    release(rig, heldOnMain);
    expect([first, second]).toEqual([[EIO], [0]]);
    expect(history.flushFinished(firstBegun, false)).toBe(false);
    expect(history.flushFinished(secondBegun, true)).toBe(false);
    expect(toldOfFlush(history, 0)).toBe(true);
  });
});

describe('flushes of clients and of the device itself', () => {
  it('are never in the kernel together: one that failed may be heard of after one that it has undone (seed 731013597)', () => {
    const { rig, client } = openDeviceWithDirtySpare();
    const held = [holdFlushes(rig, 0), holdFlushes(rig, 1)];
    const inKernel = () => held.map((flushes) => flushes.length);
    const flushes = [sendFlush(rig), sendFlush(rig)];
    expect(inKernel()).toEqual([1, 1]);
    // Moves a unit: its data is flushed, and the metadata.
    const write = client.beginWrite(16, 8, 7000, true);
    rig.scheduler.advance(0);
    expect(inKernel()).toEqual([1, 1]);
    failNextFlush(rig, 1);
    for (const flushesOfDisk of held) release(rig, flushesOfDisk);
    for (const flushesOfDisk of held) release(rig, flushesOfDisk);
    expect([...flushes, write.errno]).toEqual([[EIO], [0], 0]);
    expect(rig.device!.flushFailureCount).toBe(1);
  });
});

/** The spare has data that no flush has covered. */
function openDeviceWithDirtySpare(): ReturnType<typeof openDevice> {
  const opened = openDevice();
  expect(opened.client.write(8, 8, 5000)).toBe(0);
  expect(opened.client.write(8, 8, 6000)).toBe(0);
  return opened;
}

/** Flushes that this store gets wait here until they are sent on, first come, first served. */
function holdFlushes(rig: DeviceOnMemory, target: number): (() => void)[] {
  const store = rig.stores[target]!;
  const flush = store.flush.bind(store);
  const held: (() => void)[] = [];
  store.flush = (ticket) => void held.push(() => flush(ticket));
  return held;
}

function release(rig: DeviceOnMemory, held: (() => void)[]): void {
  while (held.length > 0) {
    held.shift()!();
    rig.scheduler.advance(0);
  }
}

/** Where its answer will be. */
function sendFlush(rig: DeviceOnMemory): readonly number[] {
  const answers: number[] = [];
  const device = rig.device!;
  device.flush(device.acquire({ completed: (_slot, errno) => answers.push(errno) }));
  rig.scheduler.advance(0);
  return answers;
}
