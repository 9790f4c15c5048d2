import { describe, expect, it } from 'vitest';
import { xorshift } from '../../test/support/xorshift.js';
import { damagedDevice } from './testing/damaged-device.js';
import { Workload } from './testing/workload.js';

/** Which of the sectors that no flush has covered reach the medium. */
function survivalBy(random: () => number): () => boolean {
  const kind = random() % 4;
  if (kind === 0) return () => false;
  if (kind === 1) return () => true;
  return () => random() % kind === 0;
}

/** Rounds of random requests, each ended by a kill or a power cut, often between any two writes. Answers remaps. */
function play(seed: number, spareBytes: readonly number[], unitBytes: number, rounds: number): number {
  const { rig, model } = damagedDevice(seed * 104_729, spareBytes, { unitBytes, volatileCaches: true });
  const workload = new Workload(rig, model, seed);
  const random = xorshift(seed * 17);
  rig.open();
  for (let round = 0; round < rounds; round += 1) {
    if (random() % 3 !== 0) rig.dieAfterWrites(1 + (random() % 300));
    for (let steps = random() % 30; steps >= 0; steps -= 1) workload.step();
    if (random() % 4 === 0) {
      rig.kill();
      workload.forget();
    } else {
      rig.powerCut(survivalBy(random));
      workload.forgetUnflushed();
    }
    rig.open();
  }
  workload.verifyAll();
  rig.powerCut(() => false);
  workload.forgetUnflushed();
  rig.open();
  workload.verifyAll();
  expect(workload.writeErrors, `write errors with seed ${seed}`).toBe(0);
  return rig.device!.context.table.mappedCount;
}

describe('a protected device whose power fails between any two writes', () => {
  it.each([1024, 4096])('keeps what was flushed or written with FUA, with units of %i bytes', (unitBytes) => {
    let remaps = 0;
    for (let seed = 1; seed <= 4; seed += 1) remaps += play(seed, [8 << 20], unitBytes, 8);
    expect(remaps).toBeGreaterThan(25);
  });

  it('does so with several spares', () => {
    let remaps = 0;
    for (let seed = 21; seed <= 23; seed += 1) remaps += play(seed, [4 << 20, 2 << 20, 3 << 20], 4096, 8);
    expect(remaps).toBeGreaterThan(15);
  });
});
