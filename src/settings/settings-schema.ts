import { z } from 'zod';
import { unreachable } from '../base/assert.js';
import { MODULE_ALIASES, MODULE_PARAMETERS } from './module-parameters.js';
import { whyNoSetting } from './setting-changes.js';
import { describeRange, formatSettingValue, type SettingKind } from './setting-kind.js';
import { SETTING_KEYS, type Setting, settingOf } from './setting-table.js';

/**
 * Values by name, all optional, with the module's names beside ours and those of its parameters that have one true value.
 * `readSettingChanges` understands what this takes.
 */
export const settingValuesSchema = schemaOf((value) => value.optional());

/** The same, with null for "the default again". */
export const settingChangesSchema = schemaOf((value) => value.nullable().optional());

function schemaOf<Wrapped extends z.ZodType>(wrap: (value: z.ZodType<string | number>) => Wrapped) {
  const shape: Record<string, Wrapped> = {};
  for (const key of SETTING_KEYS) {
    const setting = settingOf(key);
    shape[key] = wrap(valueSchema(setting.kind).describe(descriptionOf(setting)));
    for (const alias of setting.aliases)
      shape[alias] = wrap(valueSchema(setting.kind).describe(`As ${key}.`));
  }
  for (const [name, { value, why }] of parametersWithValue())
    shape[name] = wrap(
      z.literal(value, { error: `is always ${value} here: ${why}` }).describe(`Always: ${why}.`),
    );
  return z.strictObject(shape, {
    error: ({ code, keys }) =>
      code === 'unrecognized_keys' ? whyNoSetting(String((keys as string[])[0]), '') : undefined,
  });
}

function valueSchema(kind: SettingKind): z.ZodType<string | number> {
  const error = `expected ${describeRange(kind)}`;
  switch (kind.kind) {
    case 'whole':
      return z.int({ error }).min(kind.minimum, { error }).max(kind.maximum, { error });
    case 'choice':
      return z.enum(kind.words, { error });
    case 'hold':
      return z.string({ error }).regex(/^(fail|hold|hold:[1-9]\d{0,6})$/, { error });
    default:
      return unreachable(kind);
  }
}

function descriptionOf({ here, kind, standard }: Setting): string {
  return `${here} Default: ${formatSettingValue(kind, standard)}.`;
}

function parametersWithValue(): [string, { readonly value: number; readonly why: string }][] {
  const names = [
    ...Object.keys(MODULE_PARAMETERS).map((name) => [name, name] as const),
    ...Object.entries(MODULE_ALIASES),
  ];
  return names.flatMap(([name, own]) => {
    const { value, why } = MODULE_PARAMETERS[own]!;
    return value === undefined ? [] : [[name, { value, why }]];
  });
}
