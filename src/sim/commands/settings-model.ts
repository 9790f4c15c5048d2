import type { SettingChanges } from '../../settings/setting-changes.js';
import {
  SETTING_KEYS,
  type SettingKey,
  type SettingValues,
  STANDARD_SETTINGS,
  settingOf,
} from '../../settings/setting-table.js';
import { check } from '../check-failure.js';
import type { SuperblockOnDisk } from '../metadata-reader.js';

/**
 * What may be kept: what was acknowledged last, or that with one change of which nobody has heard that it is kept. Knows
 * nothing of superblocks.
 */
export class SettingsModel {
  #acknowledged: SettingValues;
  /** Begun, in this order, and not answered. */
  readonly #underWay: SettingChanges[] = [];
  /** With a change that was refused, or a set without what a dump does not carry: may turn up at the next start. */
  #possible: SettingValues[] = [];

  constructor(kept: Partial<SettingValues>) {
    this.#acknowledged = { ...STANDARD_SETTINGS, ...kept };
  }

  get acknowledged(): SettingValues {
    return this.#acknowledged;
  }

  /** All that may be in force now or after the next start. */
  get candidates(): readonly SettingValues[] {
    const started = this.#underWay.slice(0, 1).map((changes) => withChanges(this.#acknowledged, changes));
    return [this.#acknowledged, ...this.#possible, ...started];
  }

  begin(changes: SettingChanges): void {
    this.#underWay.push(changes);
  }

  end(changes: SettingChanges, isKept: boolean): void {
    check(
      this.#underWay.shift() === changes,
      'settings',
      'changes are answered in the order in which they came',
    );
    const next = withChanges(this.#acknowledged, changes);
    if (!isKept) return void this.#possible.push(next);
    this.#acknowledged = next;
    this.#possible = [];
  }

  /** The process is gone: there will be no answers. */
  crash(): void {
    this.#possible = this.candidates.slice(1);
    this.#underWay.length = 0;
  }

  /** The set is written anew from a dump, which carries one setting only. */
  mayBeForgotten(): void {
    const anew = this.candidates.map((one) => ({ ...STANDARD_SETTINGS, on_lost: one.on_lost }));
    this.#possible = [...this.candidates.slice(1), ...anew];
  }

  /** A process has started, and goes by these. */
  started(values: SettingValues): void {
    const isOne = this.candidates.some((candidate) => isSame(candidate, values));
    check(isOne, 'settings', `started with ${describe(values)}; allowed are ${this.#describeAll()}`);
    this.#acknowledged = values;
    this.#possible = [];
  }

  #describeAll(): string {
    return this.candidates.map(describe).join(' or ');
  }
}

/** As the newest superblock has them. */
export function settingsOnDisk({ settings, onLost }: SuperblockOnDisk): SettingValues {
  const entries = SETTING_KEYS.map((key) => {
    const { place, standard } = settingOf(key);
    const kept = place === 'onLost' ? onLost + 1 : settings[place]!;
    return [key, kept === 0 ? standard : kept - 1];
  });
  return Object.fromEntries(entries) as SettingValues;
}

export function isSame(one: SettingValues, other: SettingValues): boolean {
  return SETTING_KEYS.every((key) => one[key] === other[key]);
}

/** Only what is not as by default. */
export function describe(values: SettingValues): string {
  const others = SETTING_KEYS.filter((key) => values[key] !== STANDARD_SETTINGS[key]);
  return `{${others.map((key) => `${key}=${values[key]}`).join(', ')}}`;
}

function withChanges(values: SettingValues, changes: SettingChanges): SettingValues {
  const changed = Object.entries(changes).map(([key, value]) => [
    key,
    value ?? STANDARD_SETTINGS[key as SettingKey],
  ]);
  return { ...values, ...Object.fromEntries(changed) };
}
