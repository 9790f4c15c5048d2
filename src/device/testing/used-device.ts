import { assert } from '../../base/assert.js';
import { ERRNO } from '../../base/errno.js';
import type { Superblock } from '../../format/superblock.js';
import type { DeviceOnMemory, DeviceOnMemoryOptions } from './device-on-memory.js';
import { dumpOf } from './dump-of.js';
import { numberedDevice, times } from './numbered-device.js';
import type { TestClient } from './test-client.js';

/** Units 0 to 19 on spares (5000 + unit in each block), block 163 (unit 20) lost, a place retired. Killed. */
export function usedDevice(options: Partial<DeviceOnMemoryOptions> & { copies?: number } = {}): UsedDevice {
  const { rig, client } = numberedDevice({
    spareBytes: [2 << 20, 2 << 20],
    faults: 'main:\n  - { sectors: "0-159,163", on: [read, write], error: ENODATA }',
    ...options,
  });
  rig.open();
  for (let unit = 0; unit < 20; unit += 1)
    assert(client.write(unit * 8, 8, 5000 + unit) === 0, 'is written to a spare');
  assert(client.read(163, 1) === ERRNO.EIO, 'is lost');
  let failures = 3;
  rig.stores[1]!.judge = ({ kind }) => (kind === 'write' && failures-- > 0 ? ERRNO.ENODATA : 0);
  assert(client.write(0, 8, 5000) === 0, 'is moved on');
  rig.stores[1]!.judge = () => 0;
  assert(rig.device!.context.table.retiredCount === 1, 'a place is retired');
  const { superblock } = rig.device!.metadata;
  rig.kill();
  return { rig, client, superblock, map: dumpOf(rig) };
}

export interface UsedDevice {
  readonly rig: DeviceOnMemory;
  readonly client: TestClient;
  readonly superblock: Superblock;
  /** As text. */
  readonly map: string;
}

/** What `usedDevice` has written is where the map says. */
export function hasItsData({ client }: UsedDevice): boolean {
  const isRight = (unit: number): boolean => {
    const found = client.read(unit * 8, 8);
    return Array.isArray(found) && found.join() === times(8, 5000 + unit).join();
  };
  return [0, 7, 19].every(isRight) && client.read(163, 1) === ERRNO.EIO;
}
