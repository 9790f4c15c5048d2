import { describe, expect, it } from 'vitest';
import { FOREVER_SECONDS, isSettingValue } from '../../settings/setting-kind.js';
import { SETTING_KEYS, type SettingKey, settingOf } from '../../settings/setting-table.js';
import { describeStep } from '../describe-step.js';
import { drawHistory, type Step } from '../history.js';
import { Random } from '../random.js';
import { planOf } from '../run-seed.js';
import { drawScenario } from '../scenario.js';
import { drawSettings } from './draw-settings.js';
import type { SetStep } from './setting-step.js';

const base = drawScenario(new Random(7));
const steps = drawHistory(new Random(8), base, 400);

function drawn(seed: number): readonly Step[] {
  return drawSettings(new Random(seed), base, steps).steps;
}

describe('changes of settings between the steps of a history', () => {
  it('leave the other steps as they are', () => {
    const known = new Set(steps);
    expect(drawn(1).filter((step) => known.has(step))).toEqual(steps);
  });

  it('are values that each setting takes, and all settings come up', () => {
    const sets = [1, 2, 3, 4, 5].flatMap(drawn).filter((step): step is SetStep => step.kind === 'set');
    const changes = sets.flatMap((step) => Object.entries(step.changes)) as [SettingKey, number | null][];
    for (const [key, value] of changes)
      expect(value === null || isSettingValue(settingOf(key).kind, value), `${key}=${value}`).toBe(true);
    expect(new Set(changes.map(([key]) => key)).size).toBe(SETTING_KEYS.length);
  });

  it('come in about one of six runs, each with a line for people', () => {
    const lines = Array.from({ length: 300 }, (_, index) =>
      planOf(index + 1)
        .steps.filter(({ kind }) => kind === 'set')
        .map(describeStep),
    );
    const runCount = lines.filter((each) => each.length > 0).length;
    expect(runCount).toBeGreaterThan(25);
    expect(runCount).toBeLessThan(80);
    expect(lines.flat().join('\n')).toMatch(/^set [a-z_]+=(\d+|default)/);
  });

  it('begin with what each process would have been given', () => {
    const scenario = { ...base, lostReadsAsZero: true, holdMs: Number.POSITIVE_INFINITY };
    const { keptSettings } = drawSettings(new Random(1), scenario, []).scenario;
    expect(keptSettings).toEqual({ on_lost: 1, on_gone: FOREVER_SECONDS });
  });
});
