import { describe, expect, it } from 'vitest';
import { describeStep } from '../describe-step.js';
import { drawHistory } from '../history.js';
import { Random } from '../random.js';
import { planOf } from '../run-seed.js';
import { drawScenario } from '../scenario.js';
import { drawSpares } from './draw-spares.js';

describe('changes of the spares in a history', () => {
  it('leave the other steps as they are, and in their order', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const scenario = drawScenario(new Random(seed));
      const steps = drawHistory(new Random(seed), scenario, 100);
      const all = drawSpares(new Random(seed, 4), scenario, steps).steps;
      const known = new Set(steps);
      expect(all.filter((step) => known.has(step))).toEqual(steps);
    }
  });

  it('come in about one of six runs, of all kinds, each with a line for people', () => {
    const lines = Array.from({ length: 300 }, (_, index) =>
      planOf(index + 1)
        .steps.filter(({ kind }) => ['suspend', 'resume', 'empty', 'spares'].includes(kind))
        .map(describeStep),
    );
    const runCount = lines.filter((each) => each.length > 0).length;
    expect(runCount).toBeGreaterThan(25);
    expect(runCount).toBeLessThan(80);
    const text = lines.flat().join('\n');
    for (const words of [
      'a spare is added',
      'is removed',
      'units at most',
      'suspend',
      'resume',
      'change: powerCut',
    ])
      expect(text).toContain(words);
  });

  it('have a disk in reserve, and hide nothing', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const { scenario, steps } = planOf(seed);
      const hasChanges = steps.some(({ kind }) => kind === 'spares');
      if (!hasChanges) continue;
      expect(scenario.reserveBytes.length).toBeGreaterThan(0);
      expect(steps.some((step) => step.kind === 'crash' && step.hides)).toBe(false);
    }
  });
});
