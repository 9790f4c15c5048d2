import { describe, expect, it } from 'vitest';
import { describeStep } from '../describe-step.js';
import { drawHistory } from '../history.js';
import { Random } from '../random.js';
import { planOf } from '../run-seed.js';
import { drawScenario } from '../scenario.js';
import { drawShifts } from './draw-shifts.js';

describe('units moved about on the spares in a history', () => {
  it('leave the other steps as they are, and in their order', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const scenario = drawScenario(new Random(seed));
      const steps = drawHistory(new Random(seed), scenario, 100);
      const all = drawShifts(new Random(seed, 7), scenario, steps);
      const known = new Set(steps);
      expect(all.filter((step) => known.has(step))).toEqual(steps);
      expect(all.length).toBeGreaterThan(steps.length);
    }
  });

  it('come in about one of six runs, hide nothing, and have a line for people', () => {
    const plans = Array.from({ length: 200 }, (_, index) => planOf(index + 1)).filter(({ steps }) =>
      steps.some(({ kind }) => kind === 'shift'),
    );
    expect(plans.length).toBeGreaterThan(15);
    expect(plans.length).toBeLessThan(55);
    for (const { steps } of plans)
      expect(steps.some((step) => step.kind === 'crash' && step.hides)).toBe(false);
    const lines = plans.flatMap(({ steps }) => steps.map(describeStep));
    expect(lines.join('\n')).toContain('shift of a moved unit');
  });
});
