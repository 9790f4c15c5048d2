import { describe, expect, it } from 'vitest';
import { describeStep } from './describe-step.js';
import { drawReadOnly } from './draw-read-only.js';
import { drawHistory, type Step } from './history.js';
import { Random } from './random.js';
import { planOf } from './run-seed.js';
import { drawScenario } from './scenario.js';

describe('a main device that takes no writes in a history', () => {
  it('leaves the other steps as they are, and in their order', () => {
    const isOther = ({ kind }: Step): boolean => kind !== 'vanish' && kind !== 'comeBack';
    for (let seed = 1; seed <= 50; seed += 1) {
      const steps = drawHistory(new Random(seed), drawScenario(new Random(seed)), 100);
      const all = drawReadOnly(new Random(seed, 8), steps);
      expect(all.filter(isOther)).toEqual(steps.filter(isOther));
      expect(all.some((step) => step.kind === 'vanish' && step.isReadable)).toBe(true);
    }
  });

  it('comes in about one of six runs, and has a line for people', () => {
    const plans = Array.from({ length: 200 }, (_, index) => planOf(index + 1)).filter(({ steps }) =>
      steps.some((step) => step.kind === 'vanish' && step.isReadable),
    );
    expect(plans.length).toBeGreaterThan(15);
    expect(plans.length).toBeLessThan(55);
    const lines = plans.flatMap(({ steps }) => steps.map(describeStep));
    expect(lines).toContain('main takes no writes');
  });
});
