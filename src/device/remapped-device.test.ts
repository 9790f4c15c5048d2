import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { damagedDevice } from './testing/damaged-device.js';
import { Workload } from './testing/workload.js';

describe('a protected device', () => {
  for (const unitBytes of [1024, 4096, 16384]) {
    it(`hides write errors and never returns a wrong byte, with units of ${unitBytes} bytes, through kills and clean stops`, () => {
      for (let seed = 1; seed <= 12; seed += 1) {
        const { rig, model } = damagedDevice(seed * 7919, [8 << 20], { unitBytes });
        const workload = new Workload(rig, model, seed);
        const random = xorshift(seed * 31);
        rig.open();
        for (let round = 0; round < 6; round += 1) {
          for (let steps = random() % 60; steps >= 0; steps -= 1) workload.step();
          if (random() % 2 === 0) {
            rig.kill();
            workload.forget();
          } else {
            workload.drain();
            rig.close();
          }
          rig.open();
        }
        workload.drain();
        workload.verifyAll();
        expect(workload.writeErrors, `write errors with seed ${seed}`).toBe(0);
        expect(rig.device!.context.table.mappedCount).toBeGreaterThan(0);
      }
    });
  }

  it('spreads over several spares and survives kills', () => {
    const { rig, model } = damagedDevice(4711, [4 << 20, 2 << 20, 3 << 20]);
    const workload = new Workload(rig, model, 99);
    rig.open();
    for (let round = 0; round < 8; round += 1) {
      for (let steps = 0; steps < 40; steps += 1) workload.step();
      rig.kill();
      workload.forget();
      rig.open();
    }
    workload.verifyAll();
    expect(workload.writeErrors).toBe(0);
  });
});
