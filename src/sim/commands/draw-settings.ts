import type { SettingChanges } from '../../settings/setting-changes.js';
import { FOREVER_SECONDS } from '../../settings/setting-kind.js';
import { SETTING_KEYS, type SettingKey, type SettingValues } from '../../settings/setting-table.js';
import { drawBurst } from '../burst.js';
import type { Step } from '../history.js';
import type { Random } from '../random.js';
import type { Scenario } from '../scenario.js';
import type { SetStep } from './setting-step.js';

/**
 * Puts changes of settings between the steps of a history, and has the set keep what the scenario would have given to each
 * process. `random` is a stream of its own: the other steps stay as they are.
 */
export function drawSettings(random: Random, scenario: Scenario, steps: readonly Step[]): SettingPlan {
  const withSteps = steps.flatMap((step): Step[] =>
    random.chance(1, 20) ? [step, ...drawGroup(random, scenario)] : [step],
  );
  return { scenario: { ...scenario, keptSettings: keptOf(scenario) }, steps: withSteps };
}

export interface SettingPlan {
  readonly scenario: Scenario;
  readonly steps: readonly Step[];
}

function keptOf({ lostReadsAsZero, holdMs }: Scenario): Partial<SettingValues> {
  const on_gone = holdMs === Number.POSITIVE_INFINITY ? FOREVER_SECONDS : holdMs / 1000;
  return { on_gone, on_lost: lostReadsAsZero ? 1 : 0 };
}

/** Changes alone, in the midst of a crowd of requests, or cut off while the superblock is written. */
function drawGroup(random: Random, scenario: Scenario): Step[] {
  const first = drawSet(random, random.pick([0, 0, 3, 40]));
  switch (random.below(5)) {
    case 0:
      return [first];
    case 4:
      return drawLimit(random, scenario);
    case 1:
      return [first, drawSet(random, random.pick([0, 10]))];
    case 2:
      return [first, ...drawBurst(random, scenario).map(unhidden)];
    default:
      return [drawSet(random, 0), ...drawCut(random)];
  }
}

/** Few units may move, and more go bad than may. */
function drawLimit(random: Random, scenario: Scenario): Step[] {
  const blockCount = Math.floor(scenario.mainBytes / scenario.blockBytes);
  const count = Math.min(64, blockCount);
  const place = { target: 0, isAimed: false, block: random.below(blockCount - count + 1) } as const;
  return [
    { kind: 'set', changes: { max_remaps: random.pick([1, 5, 10]) }, events: 0 },
    { kind: 'rest' },
    { kind: 'bad', ...place, count, flags: UNWRITABLE },
    ...drawBurst(random, scenario).map(unhidden),
    { kind: 'rest' },
  ];
}

function drawCut(random: Random): Step[] {
  const how = random.pick(['kill', 'powerCut', 'powerCut'] as const);
  return [
    { kind: 'run', events: random.below(12), fromMetadataWrite: random.chance(1, 2) },
    { kind: 'crash', how, intruder: 'none', hides: false, interruptions: [] },
  ];
}

function drawSet(random: Random, events: number): SetStep {
  const changes: Partial<Record<SettingKey, number | null>> = {};
  for (let count = random.pick([1, 1, 2, 4]); count > 0; count -= 1) {
    const key = random.pick(SETTING_KEYS);
    changes[key] = random.chance(1, 5) ? null : random.pick(VALUES[key]);
  }
  return { kind: 'set', changes: changes as SettingChanges, events };
}

/** What hides must not be taken for damage that a command has left; see docs/fault-model.md. */
function unhidden(step: Step): Step {
  return step.kind === 'crash' ? { ...step, hides: false } : step;
}

/** Of `BlockFlag`. */
const UNWRITABLE = 2;
/** Those that change what a device does, at both ends of their ranges and where a run meets them. */
const VALUES: Readonly<Record<SettingKey, readonly number[]>> = {
  debug_level: [0, 1, 2, 3],
  max_remaps: [0, 1, 5, 30, 60, 200, 1 << 27],
  error_threshold: [1, 2, 3, 100],
  autosave_interval: [1, 1, 60, 3600],
  // Longer ones would make a run last for centuries.
  metadata_scrub_hours: [0, 1, 168],
  spare_overhead_percent: [0, 2, 20],
  emergency_threshold: [1, 50, 100],
  spare_warning_percent: [1, 50, 100],
  allocation_policy: [0, 1, 1, 2, 3],
  on_gone: [0, 1, 5, 30, FOREVER_SECONDS],
  on_lost: [0, 1],
};
