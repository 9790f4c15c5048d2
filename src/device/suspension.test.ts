import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, times, touchesBlocks } from './testing/numbered-device.js';
import { TestClient } from './testing/test-client.js';

function opened(): ReturnType<typeof numberedDevice> {
  const device = numberedDevice();
  device.rig.open();
  return device;
}

/** What `begin` told, once it did. */
function suspend(rig: DeviceOnMemory): { isSuspended: boolean | undefined } {
  const outcome: { isSuspended: boolean | undefined } = { isSuspended: undefined };
  rig.device!.suspension.begin((isSuspended) => {
    outcome.isSuspended = isSuspended;
  });
  return outcome;
}

describe('a suspended device', () => {
  it('holds reads, writes, zeroes and discards, and lets them go in the end', () => {
    const { rig, client } = opened();
    expect(suspend(rig)).toEqual({ isSuspended: true });
    expect(rig.device!.suspension.isOn).toBe(true);
    const held = [
      client.beginWrite(8, 8, 7000),
      client.beginRead(100, 8, 1),
      client.beginZero(200, 8),
      client.beginDiscard(300, 8),
    ];
    rig.scheduler.advance(60_000);
    expect(held.map(({ errno }) => errno)).toEqual(times(4, undefined));
    expect(rig.device!.isIdle).toBe(false);
    expect(rig.device!.suspension.end()).toBe(true);
    rig.scheduler.advance(1000);
    expect(held.map(({ errno }) => errno)).toEqual(times(4, 0));
    expect(client.blocksAt(1, 8)).toEqual(original(100, 8));
    expect(client.read(8, 8)).toEqual(times(8, 7000));
    expect(rig.device!.isIdle).toBe(true);
  });

  it('is one only when no I/O is in flight; what has met a bad sector is held, and mended afterwards', () => {
    const { rig, client } = opened();
    rig.stores[0]!.judge = (io) => (touchesBlocks(io, 16, 8) ? ERRNO.EIO : 0);
    const bad = client.beginWrite(16, 8, 7000);
    const good = client.beginWrite(32, 8, 8000, false, 1);
    const outcome = suspend(rig);
    expect([bad.errno, good.errno, outcome.isSuspended]).toEqual(times(3, undefined));
    rig.scheduler.advance(60_000);
    expect([bad.errno, good.errno, outcome.isSuspended]).toEqual([undefined, 0, true]);
    rig.device!.suspension.end();
    rig.scheduler.advance(60_000);
    expect(bad.errno).toBe(0);
    expect(client.read(16, 8)).toEqual(times(8, 7000));
  });

  it('waits for a relocation that has begun', () => {
    const { rig, client } = opened();
    rig.stores[0]!.judge = (io) => (touchesBlocks(io, 16, 8) ? ERRNO.EIO : 0);
    const bad = client.beginWrite(16, 8, 7000);
    rig.scheduler.advance(0);
    const outcome = suspend(rig);
    rig.scheduler.advance(60_000);
    expect([bad.errno, outcome.isSuspended]).toEqual([0, true]);
  });

  it('flushes all the same, stays suspended when asked again, and resumes once', () => {
    const { rig, client } = opened();
    expect([suspend(rig), suspend(rig)]).toEqual(times(2, { isSuspended: true }));
    expect(client.flush()).toBe(0);
    expect([rig.device!.suspension.end(), rig.device!.suspension.end()]).toEqual([true, false]);
    expect(client.read(0, 8)).toEqual(original(0, 8));
  });

  it('that is resumed before it was one tells so, and holds nothing', () => {
    const { rig, client } = opened();
    const inFlight = client.beginWrite(16, 8, 7000);
    const outcome = suspend(rig);
    rig.device!.suspension.end();
    expect(outcome).toEqual({ isSuspended: false });
    const next = client.beginRead(0, 8, 1);
    rig.scheduler.advance(1000);
    expect([inFlight.errno, next.errno]).toEqual([0, 0]);
    expect(suspend(rig)).toEqual({ isSuspended: true });
  });

  it('holds requests of other threads, and goes on before it stops', () => {
    const { rig } = opened();
    const queue = new TestClient(rig, rig.addQueue());
    expect(queue.write(0, 8, 7000)).toBe(0);
    expect(suspend(rig)).toEqual({ isSuspended: true });
    const held = queue.beginRead(0, 8);
    rig.scheduler.advance(60_000);
    expect(held.errno).toBeUndefined();
    rig.device!.endHolding();
    rig.scheduler.advance(1000);
    expect(held.errno).toBe(0);
    expect(queue.blocksAt(0, 8)).toEqual(times(8, 7000));
  });
});
