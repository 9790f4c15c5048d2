import type { Placement } from '../engine/placement.js';
import type { RemapPolicy } from '../engine/remap-policy.js';
import { ALLOCATION_POLICIES } from '../settings/allocation-policies.js';
import { FOREVER_SECONDS } from '../settings/setting-kind.js';
import { type SettingValues, settingOf } from '../settings/setting-table.js';
import type { GonePolicy } from './gone-policy.js';
import type { Outages } from './outages.js';
import type { RepeatedTask } from './repeated-task.js';

/** The parts of a device that settings are about. */
export interface SettableParts {
  readonly policy: RemapPolicy;
  readonly placement: Placement;
  readonly outages: Outages;
  readonly nowMs: () => number;
  /** One word, shared by all threads: 1 where lost blocks read as zeroes. */
  readonly lostReadsAsZero: Int32Array;
  readonly scrub: RepeatedTask;
  readonly counterSaving: RepeatedTask;
}

/**
 * Puts settings in force on a device at work. A period begins anew only where it changed. `before`: what is in force;
 * undefined where nothing is yet.
 */
export function applySettings(
  parts: SettableParts,
  values: SettingValues,
  before: SettingValues | undefined,
): void {
  const { max_remaps: maxRemaps, error_threshold: threshold } = values;
  parts.policy.maxMovedUnits = maxRemaps === 0 ? Number.POSITIVE_INFINITY : maxRemaps;
  parts.policy.recoveredReadsUntilMove = threshold;
  parts.placement.policy = ALLOCATION_POLICIES[values.allocation_policy]!;
  parts.outages.setPolicy(gonePolicyOf(values.on_gone), parts.nowMs());
  Atomics.store(parts.lostReadsAsZero, 0, values.on_lost === settingOf('on_lost').standard ? 0 : 1);
  if (values.metadata_scrub_hours !== before?.metadata_scrub_hours)
    parts.scrub.every(values.metadata_scrub_hours * MS_PER_HOUR);
  if (values.autosave_interval !== before?.autosave_interval)
    parts.counterSaving.every(values.autosave_interval * MS_PER_SECOND);
}

export function gonePolicyOf(holdSeconds: number): GonePolicy {
  return { holdMs: holdSeconds === FOREVER_SECONDS ? Number.POSITIVE_INFINITY : holdSeconds * MS_PER_SECOND };
}

const MS_PER_HOUR = 3_600_000;
const MS_PER_SECOND = 1000;
