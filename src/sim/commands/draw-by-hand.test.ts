import { describe, expect, it } from 'vitest';
import { describeStep } from '../describe-step.js';
import { drawHistory } from '../history.js';
import { Random } from '../random.js';
import { planOf } from '../run-seed.js';
import { drawScenario } from '../scenario.js';
import { drawByHand } from './draw-by-hand.js';

describe('units moved by hand in a history', () => {
  it('leave the other steps as they are, and in their order', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const scenario = drawScenario(new Random(seed));
      const steps = drawHistory(new Random(seed), scenario, 100);
      const all = drawByHand(new Random(seed, 3), scenario, steps);
      const known = new Set(steps);
      expect(all.filter((step) => known.has(step))).toEqual(steps);
      expect(all.length).toBeGreaterThan(steps.length);
    }
  });

  it('come in about one of three runs, of both kinds, each with a line for people', () => {
    const lines = Array.from({ length: 200 }, (_, index) =>
      planOf(index + 1)
        .steps.filter(({ kind }) => kind === 'hand')
        .map(describeStep),
    );
    const withHands = lines.filter((each) => each.length > 0).length;
    expect(withHands).toBeGreaterThan(25);
    expect(withHands).toBeLessThan(110);
    const text = lines.flat().join('\n');
    for (const word of ['add of a unit', 'release of a moved', 'to where one was released', 'on main'])
      expect(text).toContain(word);
  });

  it('hide nothing where the set is administered, too', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const { scenario, steps } = planOf(seed);
      const hides = steps.some((step) => step.kind === 'crash' && step.hides);
      expect(hides && scenario.hasCommands).toBe(false);
    }
  });
});
