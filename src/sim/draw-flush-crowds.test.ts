import { describe, expect, it } from 'vitest';
import { drawFlushCrowds } from './draw-flush-crowds.js';
import { drawHistory } from './history.js';
import { Random } from './random.js';
import { drawScenario } from './scenario.js';

describe('writes and flushes side by side in a history', () => {
  it('leave the other steps as they are, and in their order', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const scenario = drawScenario(new Random(seed));
      const steps = drawHistory(new Random(seed), scenario, 100);
      const drawn = drawFlushCrowds(new Random(seed, 13), scenario, steps);
      expect(drawn.steps.filter((step) => steps.includes(step))).toEqual(steps);
      expect(drawn.scenario.inFlightMax).toBeGreaterThanOrEqual(8);
    }
  });

  it('are of all kinds, on all disks', () => {
    const scenario = { ...drawScenario(new Random(1)), spareBytes: [1 << 20, 1 << 20] };
    const steps = Array.from(
      { length: 100 },
      (_, seed) => drawFlushCrowds(new Random(seed), scenario, []).steps,
    ).flat();
    expect(new Set(steps.map(({ kind }) => kind))).toEqual(
      new Set(['hand', 'request', 'flushFails', 'run', 'crash', 'vanish', 'comeBack', 'suspend', 'resume']),
    );
    const failing = steps.flatMap((step) => (step.kind === 'flushFails' ? [step.target] : []));
    expect(new Set(failing)).toEqual(new Set([0, 1, 2]));
  });
});
