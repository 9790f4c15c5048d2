import { describe, expect, it } from 'vitest';
import { describeStep } from '../describe-step.js';
import { drawHistory } from '../history.js';
import { Random } from '../random.js';
import { planOf } from '../run-seed.js';
import { drawScenario } from '../scenario.js';
import { drawCommands } from './draw-commands.js';

function history(seed: number) {
  const scenario = drawScenario(new Random(seed));
  const steps = drawHistory(new Random(seed), scenario, 100);
  return { steps, all: drawCommands(new Random(seed, 2), scenario, steps) };
}

const isCommand = ({ kind }: { readonly kind: string }): boolean => kind === 'scrub' || kind === 'offline';

describe('commands of a history', () => {
  it('leave the other steps as they are', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const { steps, all } = history(seed);
      expect(all.filter((step) => !isCommand(step))).toEqual(steps);
    }
  });

  it('come in about half of the runs, of every kind, each with a line for people', () => {
    const lines = Array.from({ length: 200 }, (_, index) =>
      planOf(index + 1)
        .steps.filter(isCommand)
        .map(describeStep),
    );
    const withCommands = lines.filter((each) => each.length > 0).length;
    expect(withCommands).toBeGreaterThan(60);
    expect(withCommands).toBeLessThan(140);
    const text = lines.flat().join('\n');
    for (const word of [
      'scrub of the metadata, alone',
      'repair',
      'restore,',
      'restoreEdited',
      'wipeAll',
      'wipePages',
    ])
      expect(text).toContain(word);
  });
});
