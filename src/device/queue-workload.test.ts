import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { withAtomicSteps } from '../sim/atomic-steps.js';
import { damagedDevice } from './testing/damaged-device.js';
import type { DeviceOnMemory } from './testing/device-on-memory.js';
import { Workload } from './testing/workload.js';

/** Others go on: something new is begun, a few steps are made, or everybody runs as far as they get. */
function interruptBy(random: () => number, rig: DeviceOnMemory, workload: Workload): () => void {
  return () => {
    const kind = random() % 32;
    if (kind < 2) workload.startOne();
    if (kind < 6)
      for (let steps = random() % 8; steps > 0; steps -= 1) rig.scheduler.runOne((n) => random() % n);
    if (kind === 0) rig.scheduler.advance(random() % 40);
  };
}

/**
 * Rounds of requests to an owner and two queues on a small disk full of bad places, so that they get in each other's
 * way; each round ends with a kill, a power cut or a clean stop. Answers the number of remaps.
 */
function play(seed: number, unitBytes: number): number {
  const { rig, model } = damagedDevice(seed * 104_729, [4 << 20], {
    mainBytes: 192 << 10,
    badPlaces: 20,
    unitBytes,
    volatileCaches: true,
    lateStores: true,
  });
  const workload = new Workload(rig, model, seed);
  const random = xorshift(seed * 17);
  const interrupt = interruptBy(random, rig, workload);
  for (let round = 0; round < 4; round += 1) {
    rig.open();
    rig.addQueue();
    rig.addQueue();
    const ending = random() % 4;
    if (ending === 0) rig.dieAfterWrites(1 + (random() % 200));
    withAtomicSteps(interrupt, () => {
      for (let steps = random() % 12; steps >= 0; steps -= 1) workload.step();
      if (ending === 3) workload.drain();
    });
    if (ending === 3) rig.close();
    else if (ending === 2) rig.kill();
    else rig.powerCut(() => random() % 2 === 0);
    if (ending < 2) workload.forgetUnflushed();
    else workload.forget();
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
    for (let seed = 1; seed <= 40; seed += 1) remaps += play(seed, unitBytes);
    expect(remaps).toBeGreaterThan(100);
  });
});
