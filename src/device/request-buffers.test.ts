import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import { REQUEST_BUFFER_BASE } from '../ports/io-memory.js';
import { NEEDS_MEMORY } from '../ports/served-device.js';
import { DeviceOnMemory } from './testing/device-on-memory.js';

/** The stores under test know no request buffers: every I/O with one is refused before it gets there. */
describe('a transfer with a request buffer', () => {
  it('that fails decides nothing, and is answered with NEEDS_MEMORY', () => {
    const rig = new DeviceOnMemory({ mainBytes: 4 << 20, spareBytes: [2 << 20] });
    rig.format();
    const device = rig.open();
    rig.stores[0]!.judge = () => ERRNO.ENODATA;
    for (const operation of ['read', 'write'] as const) {
      const answers: number[] = [];
      const slot = device.acquire({ completed: (_slot, errno) => answers.push(errno) });
      if (operation === 'read') device.read(slot, 8192, 4096, REQUEST_BUFFER_BASE);
      else device.write(slot, 8192, 4096, REQUEST_BUFFER_BASE, false);
      rig.scheduler.advance(1000);
      expect(answers).toEqual([NEEDS_MEMORY]);
    }
    expect(device.context.table.mappedCount).toBe(0);
    expect(rig.events).toEqual([]);
    expect([Counter.reads, Counter.writes].map((index) => device.context.counters[index])).toEqual([0, 0]);
    expect(device.isIdle).toBe(true);
  });
});
