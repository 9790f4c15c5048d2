import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import type { DeviceEvent } from './device-event.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, touchesBlocks } from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';

const { EIO, ENODATA } = ERRNO;

/** Unit 0 (blocks 0 to 7) lives on a spare, where block 5 of it can't be read, and, where `refusesWrites`, nothing written. */
function deviceWithBadPlace(refusesWrites: boolean): { rig: DeviceOnMemory; client: TestClient } {
  const { rig, client } = numberedDevice({
    spareBytes: [4 << 20],
    faults: 'main:\n  - { sectors: "3", on: [read, write], error: ENODATA }',
  });
  rig.open();
  expect(client.write(0, 8, 5000)).toBe(0);
  const { shape, table } = rig.device!.context;
  const first = shape.spareOffsetBytes(table.find(0)) / 512;
  rig.stores[1]!.judge = (io) => {
    const isUnreadable = io.kind === 'read' && touchesBlocks(io, first + 5, 1);
    const isRefused = refusesWrites && io.kind === 'write' && touchesBlocks(io, first, 8);
    return isUnreadable || isRefused ? ENODATA : 0;
  };
  rig.events.length = 0;
  return { rig, client };
}

function lossesToldBy({ events }: DeviceOnMemory): readonly DeviceEvent[] {
  return events.filter(({ kind }) => kind === 'lost');
}

const BLOCK_5: DeviceEvent = { kind: 'lost', mainUnit: 0, lostMask: 1 << 5 };

/** Found by the simulator: the unit was said to have moved, which is no reason to be alarmed. */
describe('a block that is lost on a spare', () => {
  it('is told of when a read finds out, once', () => {
    const { rig, client } = deviceWithBadPlace(false);
    expect(client.read(0, 8)).toBe(EIO);
    expect(client.read(5, 1)).toBe(EIO);
    expect(lossesToldBy(rig)).toEqual([BLOCK_5]);
  });

  it('is told of when a write to another block finds out', () => {
    const { rig, client } = deviceWithBadPlace(true);
    expect(client.write(0, 1, 6000)).toBe(0);
    expect(lossesToldBy(rig)).toEqual([BLOCK_5]);
  });

  it('is not told of where a write gives it new contents', () => {
    const { rig, client } = deviceWithBadPlace(true);
    expect(client.write(0, 8, 6000)).toBe(0);
    expect(lossesToldBy(rig)).toEqual([]);
  });

  it('is told of as regained when a write gives it contents while its unit moves', () => {
    const { rig, client } = deviceWithBadPlace(false);
    expect(client.read(0, 8)).toBe(EIO);
    rig.events.length = 0;
    const before = rig.device!.context.counters[Counter.blocksRegained]!;
    const { shape, table } = rig.device!.context;
    const first = shape.spareOffsetBytes(table.find(0)) / 512;
    rig.stores[1]!.judge = (io) => (io.kind === 'write' && touchesBlocks(io, first, 8) ? ENODATA : 0);
    expect(client.write(5, 1, 6000)).toBe(0);
    expect(rig.events).toContainEqual({ kind: 'regained', mainUnit: 0, lostMask: 1 << 5 });
    expect(rig.device!.context.counters[Counter.blocksRegained]).toBe(before + 1);
  });
});
