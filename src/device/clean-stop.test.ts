import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { markClosed } from './mark-closed.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { numberedDevice } from './testing/numbered-device.js';

const { EIO, ENODEV } = ERRNO;

function stop(rig: DeviceOnMemory): number | undefined {
  let result: number | undefined;
  rig.device!.metadata.run(markClosed, (outcome) => {
    result = outcome;
  });
  rig.scheduler.advance(60_000);
  return result;
}

/** What the set on the disks says of its last stop. */
function saysClean(rig: DeviceOnMemory): boolean {
  rig.kill();
  const set = rig.assemble();
  if (!set.ok) throw new Error(set.error.kind);
  return set.value.metadata.superblock.cleanShutdown;
}

describe('a stop', () => {
  it('is marked as clean when everything works', () => {
    const { rig } = numberedDevice();
    rig.open();
    expect(stop(rig)).toBeCloseTo(0);
    expect(saysClean(rig)).toBe(true);
  });

  it('says so and is not marked as clean while the breaker is open, though flushes work', () => {
    const { rig, client } = numberedDevice();
    rig.open();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'write' || kind === 'read' ? ENODEV : 0);
    expect(client.write(8, 8, 5000)).toBe(EIO);
    expect(rig.device!.context.breaker.isOpen).toBe(true);
    expect(stop(rig)).toBe(-EIO);
    rig.stores[0]!.judge = () => 0;
    expect(saysClean(rig)).toBe(false);
  });
});
