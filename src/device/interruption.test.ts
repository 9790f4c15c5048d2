import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, original, times, touchesBlocks } from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';

const { EIO } = ERRNO;
const FAILURE_COUNTS = [1, 5, 7, 8, 16, 17, 20, 33, 40, 60];

/** How many blocks count as lost after a request to unit 8; the main device works again by then. */
function lossesBy(request: (rig: DeviceOnMemory, client: TestClient) => void): number {
  const { rig, client } = numberedDevice();
  rig.open();
  request(rig, client);
  rig.stores[0]!.judge = () => 0;
  if (rig.device!.context.breaker.isOpen) rig.scheduler.advance(2000);
  client.read(1024, 8);
  rig.scheduler.advance(0);
  expect(client.read(68, 4)).toEqual(original(68, 4));
  return rig.device!.context.counters[Counter.blocksLost]!;
}

describe('a main device that fails everywhere for a moment', () => {
  it.each(
    FAILURE_COUNTS,
  )('has lost nothing if it works again after %i failures in the course of a read', (count) => {
    const losses = lossesBy((rig, client) => {
      let left = count;
      rig.stores[0]!.judge = () => (left-- > 0 ? EIO : 0);
      client.read(64, 8);
    });
    expect(losses).toBe(0);
  });

  it.each(
    FAILURE_COUNTS,
  )('has lost nothing if it works again after %i failed reads while the other half of a written unit is saved', (count) => {
    const losses = lossesBy((rig, client) => {
      let left = count;
      let isProven = false;
      rig.stores[0]!.judge = (io) => {
        if (io.kind === 'write' && touchesBlocks(io, 64, 8)) return EIO;
        // The write elsewhere that shows that the device takes writes.
        if (io.kind === 'write') isProven = true;
        return io.kind === 'read' && isProven && left-- > 0 ? EIO : 0;
      };
      client.write(64, 4, 5000);
    });
    expect(losses).toBe(0);
  });
});

describe('a spare that fails everywhere for a moment', () => {
  it.each(
    FAILURE_COUNTS,
  )('has lost nothing if it works again after %i failures in the course of a read', (count) => {
    const { rig, client } = numberedDevice({
      faults: 'main:\n  - { sectors: "64-71", on: [write], error: ENODATA }',
    });
    rig.open();
    expect(client.write(64, 8, 5000)).toBe(0);
    let left = count;
    rig.stores[1]!.judge = () => (left-- > 0 ? EIO : 0);
    client.read(64, 8);
    rig.stores[1]!.judge = () => 0;
    rig.scheduler.advance(2000);
    expect(client.read(64, 8)).toEqual(times(8, 5000));
    expect(rig.device!.context.counters[Counter.blocksLost]).toBe(0);
  });
});
