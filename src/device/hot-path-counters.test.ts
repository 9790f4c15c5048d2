import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import type { CounterName } from '../engine/counters.js';
import { countersByName } from '../engine/counters.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice, times } from './testing/numbered-device.js';
import type { TestClient } from './testing/test-client.js';

const { EIO } = ERRNO;

/** Unit 0 lives on the spare; block 16 is lost. */
function openDevice(): { rig: DeviceOnMemory; client: TestClient } {
  const { rig, client } = numberedDevice({
    faults:
      'main:\n  - { sectors: "0-7", on: [write], error: ENODATA }\n  - { sectors: "16", on: [read], error: ENODATA }',
  });
  rig.open();
  expect(client.write(0, 8, 5000)).toBe(0);
  expect(client.read(16, 1)).toBe(EIO);
  return { rig, client };
}

/** The next I/O of this kind fails, once, with an error that leaves no remap. */
function failOnce(rig: DeviceOnMemory, target: number, kind: 'read' | 'write' | 'flush'): void {
  let failures = 1;
  rig.stores[target]!.judge = (io) => (io.kind === kind && failures-- > 0 ? ERRNO.EAGAIN : 0);
}

/** By how much one counter grows. */
function growth(rig: DeviceOnMemory, name: CounterName, act: () => void): number {
  const before = countersByName(rig.device!.context.counters)[name];
  act();
  return countersByName(rig.device!.context.counters)[name] - before;
}

describe('an error that only the hot path meets', () => {
  it.each([
    ['mainReadErrors', 0, 'read', (client: TestClient) => expect(client.read(64, 8)).toHaveLength(8)],
    ['mainWriteErrors', 0, 'write', (client: TestClient) => expect(client.write(64, 8, 1)).toBe(0)],
    ['spareReadErrors', 1, 'read', (client: TestClient) => expect(client.read(0, 8)).toEqual(times(8, 5000))],
    ['spareWriteErrors', 1, 'write', (client: TestClient) => expect(client.write(0, 8, 1)).toBe(0)],
  ] as const)('is counted in %s', (name, target, kind, act) => {
    const { rig, client } = openDevice();
    failOnce(rig, target, kind);
    expect(growth(rig, name, () => act(client))).toBe(1);
  });

  it.each([
    ['a read of a lost block', (client: TestClient) => client.read(16, 1)],
    ['a flush', (client: TestClient) => client.flush()],
  ] as const)('is counted as a failed request: %s', (_name, act) => {
    const { rig, client } = openDevice();
    failOnce(rig, 0, 'flush');
    expect(growth(rig, 'requestsFailed', () => expect(act(client)).toBe(EIO))).toBe(1);
  });
});
