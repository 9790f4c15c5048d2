import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import { FlushHistory, UnflushedWrites } from '../frontends/flush-history.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice } from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';

const { EIO } = ERRNO;

/** Blocks 8 to 15 refuse writes. */
function openDevice(): { rig: DeviceOnMemory; client: TestClient } {
  const { rig, client } = numberedDevice({
    faults: 'main:\n  - { sectors: "8-15", on: [write], error: ENODATA }',
  });
  rig.open();
  return { rig, client };
}

/** The next flush of this store fails, and only that one. */
function failNextFlush(rig: DeviceOnMemory, target: number): void {
  let failures = 1;
  rig.stores[target]!.judge = ({ kind }) => (kind === 'flush' && failures-- > 0 ? EIO : 0);
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

describe('a flush that fails for needs of the device itself', () => {
  it.each([
    ['the durable end of a write that moved a unit', 0, true],
    ['a metadata commit', 1, false],
  ])('is told to every client with unflushed writes on its next flush, once: %s', (_name, target, durable) => {
    const { rig, client } = openDevice();
    expect(client.write(64, 8, 5000)).toBe(0);
    const writers = [writerWithUnflushedData(rig), writerWithUnflushedData(rig)];
    failNextFlush(rig, target);
    expect(client.write(8, 8, 6000, durable)).toBe(EIO);
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
    const { rig, client } = openDevice();
    expect(client.write(8, 8, 5000)).toBe(0);
    expect(client.write(8, 8, 6000)).toBe(0);
    const other = writerWithUnflushedData(rig);
    const spare = rig.stores[1]!;
    const flushSpare = spare.flush.bind(spare);
    const held: number[] = [];
    spare.flush = (ticket) => void held.push(ticket);
    failNextFlush(rig, 0);
    const answers: number[] = [];
    const device = rig.device!;
    device.flush(device.acquire({ completed: (_slot, errno) => answers.push(errno) }));
    rig.scheduler.advance(0);
    expect([held.length, answers]).toEqual([1, []]);
    expect(toldOfFlush(other, 0)).toBe(false);
    flushSpare(held[0]!);
    rig.scheduler.advance(0);
    expect(answers).toEqual([EIO]);
    expect(device.flushFailureCount).toBe(1);
  });
});
