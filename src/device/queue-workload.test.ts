import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { withAtomicSteps } from './testing/atomic-steps.js';
import { damagedDevice } from './testing/damaged-device.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { Workload } from './testing/workload.js';

/** Lets any of the threads go on, by a little; now and then something new is asked of one that is idle. */
function interruptBy(random: () => number, rig: DeviceOnMemory, workload: Workload): () => void {
  return () => {
    if (random() % 4 !== 0) return;
    if (random() % 3 === 0) workload.startOne();
    for (let tasks = random() % 4; tasks > 0; tasks -= 1) rig.scheduler.runOne((count) => random() % count);
  };
}

/** Rounds of requests to an owner and two queues, each round ended by a kill or power cut. Answers remaps. */
function play(seed: number, unitBytes: number, rounds: number): number {
  const { rig, model } = damagedDevice(seed * 104_729, [8 << 20], {
    unitBytes,
    volatileCaches: true,
    lateStores: true,
  });
  const workload = new Workload(rig, model, seed);
  const random = xorshift(seed * 17);
  const interrupt = interruptBy(random, rig, workload);
  for (let round = 0; round < rounds; round += 1) {
    rig.open();
    rig.addQueue();
    rig.addQueue();
    const dies = random() % 4 === 0;
    if (dies) rig.dieAfterWrites(1 + (random() % 300));
    withAtomicSteps(interrupt, () => {
      for (let steps = random() % 40; steps >= 0; steps -= 1) workload.step();
      if (!dies && random() % 2 === 0) workload.drain();
    });
    if (random() % 2 === 0) {
      rig.kill();
      workload.forget();
    } else {
      rig.powerCut(() => random() % 2 === 0);
      workload.forgetUnflushed();
    }
  }
  rig.open();
  rig.addQueue();
  workload.verifyAll();
  expect(workload.writeErrors, `write errors with seed ${seed}`).toBe(0);
  return rig.device!.context.table.mappedCount;
}

describe('a device and two queues on threads of their own, interrupting each other at every atomic operation', () => {
  it.each([1024, 4096])('lose no write and return no wrong byte, with units of %i bytes', (unitBytes) => {
    let remaps = 0;
    for (let seed = 1; seed <= 6; seed += 1) remaps += play(seed, unitBytes, 8);
    expect(remaps).toBeGreaterThan(60);
  });
});
