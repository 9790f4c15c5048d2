import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { type SettingValues, STANDARD_SETTINGS } from '../settings/setting-table.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, times, touchesBlocks } from './testing/numbered-device.js';
import { TestClient } from './testing/test-client.js';
import { answerAgain, vanish } from './testing/vanishing-device.js';

const { EIO, ENODATA, ENOSPC } = ERRNO;
const HOUR_MS = 3_600_000;
const BAD = 'main:\n  - { sectors: "80-159", on: [read, write], error: ENODATA }';

function open(changes: Partial<SettingValues>, faults?: string): { rig: DeviceOnMemory; client: TestClient } {
  const { rig, client } = numberedDevice(faults === undefined ? {} : { faults });
  rig.open();
  set(rig, changes);
  return { rig, client };
}

function set(rig: DeviceOnMemory, changes: Partial<SettingValues>): void {
  rig.device!.applySettings({ ...STANDARD_SETTINGS, ...changes });
}

function moved(rig: DeviceOnMemory): number {
  return rig.device!.context.table.mappedCount;
}

function eventsOf(rig: DeviceOnMemory, kind: string): number {
  return rig.events.filter((event) => event.kind === kind).length;
}

/** The next two reads of these blocks on the main device fail with a medium error; the ones after them don't. */
function failTwice(rig: DeviceOnMemory, first: number, count: number): void {
  let left = 2;
  rig.stores[0]!.judge = (io) => {
    if (io.kind !== 'read' || !touchesBlocks(io, first, count) || left === 0) return 0;
    left -= 1;
    return ENODATA;
  };
}

describe('max_remaps', () => {
  it('lets no more units move, in one request or in several; the write fails, and is told', () => {
    const { rig, client } = open({ max_remaps: 2 }, BAD);
    expect(client.write(80, 24, 500)).toBe(ENOSPC);
    expect(moved(rig)).toBe(2);
    expect(client.write(120, 8, 501)).toBe(ENOSPC);
    expect(rig.events).toContainEqual({ kind: 'remapLimitReached', mainUnit: 15, maxMovedUnits: 2 });
    expect(moved(rig)).toBe(2);
  });

  it('refuses a part of a unit without reading the rest of it for nothing (seed 3816936874)', () => {
    const { rig, client } = open({ max_remaps: 1 }, BAD);
    expect(client.write(80, 8, 500)).toBe(0);
    let reads = 0;
    rig.stores[0]!.judge = (io) => {
      if (io.kind === 'read' && touchesBlocks(io, 96, 8)) reads += 1;
      return 0;
    };
    expect([client.write(98, 2, 501), reads]).toEqual([ENOSPC, 0]);
  });

  it('lets what has moved be written, and move again from a place that turns bad', () => {
    const { rig, client } = open({ max_remaps: 1 }, BAD);
    expect(client.write(80, 8, 500)).toBe(0);
    const { table, shape } = rig.device!.context;
    const at = shape.spareOffsetBytes(table.find(10));
    rig.stores[1]!.judge = (io) => (io.kind === 'write' && io.offsetBytes === at ? ENODATA : 0);
    expect(client.write(80, 8, 501)).toBe(0);
    expect(shape.spareOffsetBytes(table.find(10))).not.toBe(at);
    expect(client.read(80, 8)).toEqual(times(8, 501));
    expect(client.write(88, 8, 502)).toBe(ENOSPC);
  });

  it('can be raised at work; retired places do not count', () => {
    const { rig, client } = open({ max_remaps: 1 }, BAD);
    let badPlace = -1;
    rig.stores[1]!.judge = (io) => {
      if (io.kind === 'write' && badPlace === -1) badPlace = io.offsetBytes;
      return io.kind === 'write' && io.offsetBytes === badPlace ? ENODATA : 0;
    };
    expect(client.write(80, 8, 500)).toBe(0);
    expect(rig.device!.context.table.retiredCount).toBe(1);
    expect(client.write(88, 8, 501)).toBe(ENOSPC);
    set(rig, { max_remaps: 2 });
    expect(client.write(88, 8, 501)).toBe(0);
    expect(client.write(96, 8, 501)).toBe(ENOSPC);
    set(rig, { max_remaps: 0 });
    expect(client.write(96, 8, 501)).toBe(0);
  });
});

describe('error_threshold', () => {
  it('moves a unit at the first recovered read by itself', () => {
    const { rig, client } = open({});
    failTwice(rig, 80, 8);
    expect(client.read(80, 8)).toEqual(original(80, 8));
    expect(moved(rig)).toBe(1);
  });

  it('leaves it until it was read so often with medium errors within 300 seconds', () => {
    const { rig, client } = open({ error_threshold: 3 });
    const readWithError = (): number => {
      failTwice(rig, 80, 8);
      expect(client.read(80, 8)).toEqual(original(80, 8));
      return moved(rig);
    };
    expect([readWithError(), readWithError()]).toEqual([0, 0]);
    expect(eventsOf(rig, 'transientError')).toBe(2);
    rig.scheduler.advance(300_000);
    expect([readWithError(), readWithError(), readWithError()]).toEqual([0, 0, 1]);
  });

  it('does not keep a write, or a loss, from moving', () => {
    const { rig, client } = open({ error_threshold: 100 }, BAD);
    expect(client.write(80, 8, 500)).toBe(0);
    expect(client.read(88, 8)).toBe(EIO);
    expect(moved(rig)).toBe(2);
  });
});

describe('on_lost', () => {
  it('holds at once, on all queues, and both ways', () => {
    const { rig, client } = open({}, BAD);
    const far = new TestClient(rig, rig.addQueue());
    expect([client.read(80, 8), far.read(80, 8)]).toEqual([EIO, EIO]);
    set(rig, { on_lost: 1 });
    expect([client.read(80, 8), far.read(80, 8)]).toEqual([times(8, 0), times(8, 0)]);
    set(rig, { on_lost: 0 });
    expect([client.read(80, 8), far.read(80, 8)]).toEqual([EIO, EIO]);
  });
});

describe('on_gone', () => {
  it('lowered fails what waits and what comes; raised lets new requests wait again', () => {
    const { rig, client } = open({ on_gone: 30 });
    vanish(rig, 0);
    const waiting = client.beginRead(64, 8, 1);
    rig.scheduler.advance(5000);
    expect(waiting.errno).toBeUndefined();
    set(rig, { on_gone: 0 });
    rig.scheduler.advance(2000);
    expect(waiting.errno).toBe(EIO);
    expect(client.read(64, 8)).toBe(EIO);
    set(rig, { on_gone: 600 });
    const again = client.beginRead(64, 8, 1);
    rig.scheduler.advance(100_000);
    expect(again.errno).toBeUndefined();
    answerAgain(rig, 0);
    rig.scheduler.advance(3000);
    expect(again.errno).toBe(0);
  });

  it('raised also takes back that a device has been gone for too long', () => {
    const { rig, client } = open({ on_gone: 5 });
    vanish(rig, 0);
    expect(client.read(64, 8)).toBe(EIO);
    rig.scheduler.advance(10_000);
    expect(rig.device!.goneDevices).toMatchObject([{ requestsWait: false }]);
    set(rig, { on_gone: 100 });
    expect(rig.device!.goneDevices).toMatchObject([{ requestsWait: true }]);
    set(rig, { on_gone: 6 });
    rig.scheduler.advance(1000);
    expect(rig.device!.goneDevices).toMatchObject([{ requestsWait: false }]);
  });
});

describe('metadata_scrub_hours', () => {
  it('begins a new period when it changes, and only then; 0 ends it', () => {
    const { rig } = open({ metadata_scrub_hours: 100 });
    const scrubs = (): number => eventsOf(rig, 'metadataScrubbed');
    rig.scheduler.advance(99 * HOUR_MS);
    set(rig, { metadata_scrub_hours: 2 });
    rig.scheduler.advance(HOUR_MS);
    set(rig, { metadata_scrub_hours: 2, max_remaps: 7 });
    expect(scrubs()).toBe(0);
    rig.scheduler.advance(HOUR_MS + 60_000);
    expect(scrubs()).toBe(1);
    set(rig, { metadata_scrub_hours: 0 });
    rig.scheduler.advance(1000 * HOUR_MS);
    expect(scrubs()).toBe(1);
  });
});

describe('autosave_interval', () => {
  const saved = (rig: DeviceOnMemory): readonly number[] => rig.device!.metadata.superblock.counters;

  it('saves the counters where they have changed, so that a crash loses no more', () => {
    const { rig, client } = open({ autosave_interval: 10 });
    expect(client.write(0, 8, 1)).toBe(0);
    rig.scheduler.advance(11_000);
    const [reads, writes] = saved(rig);
    expect([reads, writes]).toEqual([0, 1]);
    const { sequence } = rig.device!.metadata.superblock;
    rig.scheduler.advance(60_000);
    expect(rig.device!.metadata.superblock.sequence).toBe(sequence);
    rig.kill();
    rig.open();
    expect(rig.device!.context.counters[1]).toBe(1);
  });

  it('does not let a spare that is gone fall behind for the sake of counters', () => {
    const { rig, client } = open({ autosave_interval: 10, on_gone: 600 });
    vanish(rig, 1);
    rig.device!.context.report({ kind: 'spareGone', spareIndex: 0 });
    const { sequence } = rig.device!.metadata.superblock;
    expect(client.write(0, 8, 1)).toBe(0);
    rig.scheduler.advance(60_000);
    expect(rig.device!.metadata.superblock.sequence).toBe(sequence);
    answerAgain(rig, 1);
    rig.scheduler.advance(60_000);
    expect(rig.device!.metadata.superblock.sequence).toBeGreaterThan(sequence);
  });
});
