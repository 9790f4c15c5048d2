import { describe, expect, it } from 'vitest';
import { DeviceOnMemory } from './testing/device-on-memory.js';

describe('starting a set', () => {
  it('makes durable what was read before it is written over (found by the simulator, seed 74)', () => {
    const rig = new DeviceOnMemory({
      mainBytes: 256 << 10,
      spareBytes: [1 << 20, 1 << 20],
      volatileCaches: true,
    });
    rig.format(2);
    const changes: string[] = [];
    for (const [target, store] of rig.stores.entries()) {
      store.judge = ({ kind }) => {
        if (kind !== 'read') changes.push(`${kind} ${target}`);
        return 0;
      };
    }
    rig.open();
    expect(changes.slice(0, 2).sort()).toEqual(['flush 1', 'flush 2']);
    expect(changes[2]).toMatch(/^write/);
  });
});
