import { describe, expect, it } from 'vitest';
import { describeStep } from '../describe-step.js';
import { drawHistory } from '../history.js';
import { Random } from '../random.js';
import { planOf } from '../run-seed.js';
import { drawScenario } from '../scenario.js';
import { drawEvacuations } from './draw-evacuations.js';

describe('copying to another disk, and leaving, in a history', () => {
  it('leave the other steps as they are, and in their order', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const scenario = drawScenario(new Random(seed));
      const steps = drawHistory(new Random(seed), scenario, 100);
      const plan = drawEvacuations(new Random(seed, 8), scenario, steps);
      const known = new Set(steps);
      expect(plan.steps.filter((step) => known.has(step))).toEqual(steps);
      expect(plan.scenario.replacementBytes).toBeGreaterThanOrEqual(scenario.mainBytes);
    }
  });

  it('come in about one of eight runs, of all kinds, hide nothing, and each has a line for people', () => {
    const plans = Array.from({ length: 400 }, (_, index) => planOf(index + 1)).filter(
      ({ scenario }) => scenario.replacementBytes !== undefined,
    );
    expect(plans.length).toBeGreaterThan(30);
    expect(plans.length).toBeLessThan(75);
    for (const { steps } of plans)
      expect(steps.some((step) => step.kind === 'crash' && step.hides)).toBe(false);
    const text = plans.flatMap(({ steps }) => steps.map(describeStep)).join('\n');
    for (const words of [
      'everything is copied to the other disk',
      'the copying is cancelled',
      'other disk vanishes',
      'other disk: blocks',
      'the other disk takes over, if it has everything',
      '(change: powerCut after',
      'all units are given back, alone',
    ])
      expect(text).toContain(words);
  });
});
