import { parseSettingValue, type SettingInput } from '../settings/setting-kind.js';
import { SETTING_KEYS, type SettingKey, settingOf } from '../settings/setting-table.js';
import type { GivenSetting, GivenSettings } from '../settings/settings-in-force.js';
import type { OpenDeviceOptions } from './device-types.js';
import { DmRemapError } from './errors.js';

/** The settings that the one who opens a device gives it; what is given in two ways is as its own option says. */
export function givenSettings(options: OpenDeviceOptions): GivenSettings {
  const { onGone, onLost, metadataScrubHours } = options;
  const byOption = { on_gone: onGone, on_lost: onLost, metadata_scrub_hours: metadataScrubHours };
  const given: Partial<Record<SettingKey, GivenSetting>> = {};
  for (const key of SETTING_KEYS) {
    const setting = options.settings?.[key];
    if (setting !== undefined) given[key] = understood(key, setting.value, setting.givenBy);
  }
  for (const [key, input] of Object.entries(byOption) as [SettingKey, SettingInput | undefined][])
    if (input !== undefined) given[key] = understood(key, input, settingOf(key).option!);
  return given;
}

function understood(key: SettingKey, input: SettingInput, givenBy: string): GivenSetting {
  const parsed = parseSettingValue(settingOf(key).kind, input);
  if (parsed.ok) return { value: parsed.value, givenBy };
  throw new DmRemapError('usage', `${givenBy} ${input}: expected ${parsed.error}`);
}
