import { failed, ok, type Result } from '../base/result.js';
import { MODULE_ALIASES, MODULE_PARAMETERS } from './module-parameters.js';
import { parseSettingValue, type SettingInput } from './setting-kind.js';
import { SETTING_KEYS, type SettingKey, settingOf } from './setting-table.js';

/** What is to be kept from now on; null: nothing, so that the default holds again. */
export type SettingChanges = Readonly<Partial<Record<SettingKey, number | null>>>;

/**
 * Understands values by name, as a person or a program gives them; null is for the default. Names of the module are taken, and
 * of its parameters that are no settings here the value that is true. All or nothing: the error is one line about the first
 * mistake, and says what to do.
 */
export function readSettingChanges(
  given: Readonly<Record<string, SettingInput | null>>,
): Result<SettingChanges, string> {
  const changes: Partial<Record<SettingKey, number | null>> = {};
  for (const [name, input] of Object.entries(given)) {
    const key = settingNamed(name);
    const problem = key === undefined ? whyNoSetting(name, input) : take(changes, key, name, input);
    if (problem !== undefined) return failed(problem);
  }
  return ok(changes);
}

/** The setting of this name, or of this name in the module. */
export function settingNamed(name: string): SettingKey | undefined {
  return SETTING_KEYS.find((key) => key === name || settingOf(key).aliases.includes(name));
}

/** Undefined where it is a parameter of the module, and `input` is how things are here. */
export function whyNoSetting(name: string, input: SettingInput | null): string | undefined {
  const own = (Object.hasOwn(MODULE_ALIASES, name) ? MODULE_ALIASES[name] : undefined) ?? name;
  const parameter = Object.hasOwn(MODULE_PARAMETERS, own) ? MODULE_PARAMETERS[own] : undefined;
  if (parameter === undefined) return `${name}: no such setting; there are ${SETTING_KEYS.join(', ')}`;
  const { value, why } = parameter;
  if (value === undefined) return `${name}: can't be set here: ${why}`;
  if (input === null || TRUTHS[String(input).trim()] === value) return undefined;
  return `${name}: is always ${value} here: ${why}`;
}

const TRUTHS: Readonly<Record<string, number>> = { '0': 0, '1': 1, false: 0, true: 1 };

function take(
  into: Partial<Record<SettingKey, number | null>>,
  key: SettingKey,
  name: string,
  input: SettingInput | null,
): string | undefined {
  if (Object.hasOwn(into, key)) return `${name}: is given twice`;
  const parsed = input === null ? ok(null) : parseSettingValue(settingOf(key).kind, input);
  if (!parsed.ok) return `${name}: expected ${parsed.error}, not "${input}"`;
  into[key] = parsed.value;
  return undefined;
}
