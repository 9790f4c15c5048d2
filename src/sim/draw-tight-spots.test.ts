import { describe, expect, it } from 'vitest';
import { describeStep } from './describe-step.js';
import { drawTightSpots } from './draw-tight-spots.js';
import { drawHistory } from './history.js';
import { Random } from './random.js';
import { drawScenario } from './scenario.js';

describe('rare things close together in a history', () => {
  it('leave the other steps as they are, and in their order', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const scenario = drawScenario(new Random(seed));
      const steps = drawHistory(new Random(seed), scenario, 100);
      const all = drawTightSpots(new Random(seed, 11), scenario, steps).steps;
      expect(all.filter((step) => steps.includes(step))).toEqual(steps);
      expect(all.length).toBeGreaterThan(steps.length);
    }
  });

  it('ask for nothing beyond the end of the device, and have lines for people', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const drawn = { ...drawScenario(new Random(seed)), hasCommands: true };
      const { scenario, steps } = drawTightSpots(new Random(seed, 11), drawn, []);
      const blockCount = scenario.mainBytes / scenario.blockBytes;
      for (const step of steps) {
        expect(describeStep(step)).not.toBe('');
        if (step.kind === 'bad' && step.target === 0) expect(step.block).toBeLessThan(blockCount);
        if (step.kind !== 'request' || step.isAimed) continue;
        expect(step.first).toBeGreaterThanOrEqual(0);
        expect(step.first + step.count).toBeLessThanOrEqual(blockCount);
        expect(step.count).toBeLessThanOrEqual(scenario.maxRequestBlocks);
      }
    }
  });
});
