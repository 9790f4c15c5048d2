import type { SettingChanges } from './setting-changes.js';
import { isSettingValue } from './setting-kind.js';
import { SETTING_KEYS, type SettingKey, type SettingValues, settingOf } from './setting-table.js';

/** Where settings are kept, as a superblock has it. */
export interface SettingStore {
  /** By `Setting.place`: 0 where nothing is kept, else the value plus one. */
  readonly settings: readonly number[];
  readonly onLost: number;
}

export interface KeptSettings {
  readonly values: Partial<SettingValues>;
  /** Kept, but with a value that this version does not take: the default holds. */
  readonly refused: readonly SettingKey[];
}

/** Total: whatever the store holds, values are within their ranges. */
export function readKeptSettings(store: SettingStore): KeptSettings {
  const values: Partial<Record<SettingKey, number>> = {};
  const refused: SettingKey[] = [];
  for (const key of SETTING_KEYS) {
    const value = keptValue(store, key);
    if (value === undefined) continue;
    if (isSettingValue(settingOf(key).kind, value)) values[key] = value;
    else refused.push(key);
  }
  return { values, refused };
}

/** The store after changes. What else is in it stays, also what this version does not know. */
export function withKeptSettings(store: SettingStore, changes: SettingChanges): SettingStore {
  const settings = [...store.settings];
  let { onLost } = store;
  for (const key of SETTING_KEYS) {
    const value = changes[key];
    if (value === undefined) continue;
    const { place, standard } = settingOf(key);
    if (place === 'onLost') onLost = value ?? standard;
    else settings[place] = value === null ? 0 : value + 1;
  }
  return { settings: Array.from(settings, (kept) => kept ?? 0), onLost };
}

/** The field `onLost` has no room for "nothing is kept": the default stands for that. */
function keptValue({ settings, onLost }: SettingStore, key: SettingKey): number | undefined {
  const { place, standard } = settingOf(key);
  if (place === 'onLost') return onLost === standard ? undefined : onLost;
  const kept = settings[place] ?? 0;
  return kept === 0 ? undefined : kept - 1;
}
