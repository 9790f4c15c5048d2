import { describe, expect, it } from 'vitest';
import { describeStep } from './describe-step.js';
import { drawCloseCalls } from './draw-close-calls.js';
import { drawHistory } from './history.js';
import { Random } from './random.js';
import { drawScenario } from './scenario.js';

describe('close calls in a history', () => {
  it('leave the other steps as they are, and in their order', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const scenario = drawScenario(new Random(seed));
      const steps = drawHistory(new Random(seed), scenario, 100);
      const all = drawCloseCalls(new Random(seed, 12), scenario, steps);
      expect(all.filter((step) => steps.includes(step))).toEqual(steps);
      expect(all.length).toBeGreaterThan(steps.length);
    }
  });

  it('are of all kinds, and have lines for people', () => {
    const kinds = new Set<string>();
    for (let seed = 1; seed <= 300; seed += 1) {
      const drawn = { ...drawScenario(new Random(seed)), hasCommands: true, replacementBytes: 1 << 20 };
      for (const step of drawCloseCalls(new Random(seed, 12), drawn, [])) {
        kinds.add(step.kind);
        expect(describeStep(step)).not.toBe('');
      }
    }
    for (const kind of ['vanish', 'weak', 'turns', 'quiet', 'shift'] as const) expect(kinds).toContain(kind);
  });
});
