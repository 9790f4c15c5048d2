import { z } from 'zod';
import { SETTING_KEYS } from '../../settings/setting-table.js';

export const settingSchema = z
  .object({
    name: z.enum(SETTING_KEYS),
    value: z.union([z.string(), z.number()]).describe('in force'),
    source: z.enum(['given', 'kept', 'default']).describe('given: when the set was started'),
    givenBy: z.string().nullable().describe('the option or file that has given it'),
    kept: z.union([z.string(), z.number()]).nullable().describe('on the spare; null: nothing is'),
    default: z.union([z.string(), z.number()]),
  })
  .meta({ id: 'Setting' });

export const settingsSchema = z
  .object({ version: z.literal(1), settings: z.array(settingSchema).readonly() })
  .meta({ id: 'Settings' });

export const settingsChangedSchema = settingsSchema
  .extend({
    changed: z.array(z.enum(SETTING_KEYS)).readonly().describe('those that are kept with another value now'),
  })
  .meta({ id: 'SettingsChanged' });

export type SettingResource = z.infer<typeof settingSchema>;
export type SettingsResource = z.infer<typeof settingsSchema>;
export type SettingsChangedResource = z.infer<typeof settingsChangedSchema>;
