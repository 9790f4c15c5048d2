import { assert } from '../base/assert.js';
import type { KeptSettings } from './kept-settings.js';
import { formatSettingValue, parseSettingValue } from './setting-kind.js';
import { SETTING_KEYS, type SettingKey, type SettingValues, settingOf } from './setting-table.js';

/** Values that were given when the set was started, with what gave them, e.g. `--on-gone`. They beat what is kept. */
export type GivenSettings = Readonly<Partial<Record<SettingKey, GivenSetting>>>;

export interface GivenSetting {
  readonly value: number;
  readonly givenBy: string;
}

/** What decides: given at the start, else kept on the spare, else the default. */
export function settingsInForce(kept: Partial<SettingValues>, given: GivenSettings): SettingValues {
  const values = SETTING_KEYS.map((key) => [key, given[key]?.value ?? kept[key] ?? settingOf(key).standard]);
  return Object.fromEntries(values) as SettingValues;
}

/** One setting as commands and the control socket tell of it. */
export interface SettingReport {
  readonly name: SettingKey;
  /** In force. */
  readonly value: string | number;
  readonly source: 'given' | 'kept' | 'default';
  /** The option or file that has given it; null where none has. */
  readonly givenBy: string | null;
  /** On the spare; null where nothing is. */
  readonly kept: string | number | null;
  readonly default: string | number;
}

export function reportSettings({ values }: KeptSettings, given: GivenSettings): SettingReport[] {
  const inForce = settingsInForce(values, given);
  return SETTING_KEYS.map((key) => {
    const { kind, standard } = settingOf(key);
    const kept = values[key];
    return {
      name: key,
      value: formatSettingValue(kind, inForce[key]),
      source: given[key] !== undefined ? 'given' : kept !== undefined ? 'kept' : 'default',
      givenBy: given[key]?.givenBy ?? null,
      kept: kept === undefined ? null : formatSettingValue(kind, kept),
      default: formatSettingValue(kind, standard),
    };
  });
}

/** The values in force, from what was told of them. */
export function valuesOfReports(reports: readonly SettingReport[]): SettingValues {
  const values = reports.map(({ name, value }) => {
    const parsed = parseSettingValue(settingOf(name).kind, value);
    assert(parsed.ok, `${name} is told as ${value}`);
    return [name, parsed.value];
  });
  return Object.fromEntries(values) as SettingValues;
}
