import { describe, expect, it } from 'vitest';
import { describeStep } from '../describe-step.js';
import { drawHistory } from '../history.js';
import { Random } from '../random.js';
import { planOf } from '../run-seed.js';
import { drawScenario } from '../scenario.js';
import { drawHandOvers } from './draw-hand-overs.js';

describe('a block device that is handed over in a history', () => {
  it('leaves the other steps as they are, and in their order', () => {
    const scenario = drawScenario(new Random(7));
    const steps = drawHistory(new Random(8), scenario, 300);
    const plan = drawHandOvers(new Random(9), { scenario, steps });
    expect(plan.scenario.hasBlockDevice).toBe(true);
    expect(plan.steps.length).toBeGreaterThan(steps.length);
    expect(plan.steps.filter(({ kind }) => kind !== 'handOver')).toEqual(steps);
  });

  it('comes in about one of six runs, cut off now and then, each time with a line for people', () => {
    const plans = Array.from({ length: 300 }, (_, index) => planOf(index + 1));
    const withDevice = plans.filter(({ scenario }) => scenario.hasBlockDevice);
    expect(withDevice.length).toBeGreaterThan(25);
    expect(withDevice.length).toBeLessThan(80);
    const lines = withDevice.flatMap(({ steps }) =>
      steps.filter(({ kind }) => kind === 'handOver').map(describeStep),
    );
    const text = lines.join('\n');
    expect(text).toMatch(/^hand over, (write|read|flush|zero)/);
    expect(text).toMatch(/, kill after \d+ events, start/);
    expect(text).toMatch(/, powerCut after \d+ events, start/);
  });
});
