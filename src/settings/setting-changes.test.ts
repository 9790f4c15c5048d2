import { describe, expect, it } from 'vitest';
import { MODULE_ALIASES, MODULE_PARAMETERS } from './module-parameters.js';
import { readSettingChanges, settingNamed } from './setting-changes.js';
import { formatSettingValue, isSettingValue, parseSettingValue } from './setting-kind.js';
import { SETTING_KEYS, settingOf } from './setting-table.js';
import { settingChangesSchema, settingValuesSchema } from './settings-schema.js';

describe('the table of settings', () => {
  it('has a default within its range, a place, and names that nothing else has', () => {
    const names = SETTING_KEYS.flatMap((key) => [key, ...settingOf(key).aliases]);
    const fixed = [...Object.keys(MODULE_PARAMETERS), ...Object.keys(MODULE_ALIASES)];
    expect(new Set([...names, ...fixed]).size).toBe(names.length + fixed.length);
    const places = SETTING_KEYS.map((key) => settingOf(key).place);
    expect(new Set(places).size).toBe(places.length);
    for (const key of SETTING_KEYS)
      expect(isSettingValue(settingOf(key).kind, settingOf(key).standard)).toBe(true);
  });

  it('keeps every setting at the place where it has been since its first version', () => {
    const kept = SETTING_KEYS.map((key) => [settingOf(key).place, key]);
    expect(Object.fromEntries(kept)).toEqual({
      0: 'debug_level',
      1: 'max_remaps',
      2: 'error_threshold',
      3: 'autosave_interval',
      4: 'metadata_scrub_hours',
      5: 'spare_overhead_percent',
      6: 'emergency_threshold',
      7: 'spare_warning_percent',
      8: 'on_gone',
      9: 'allocation_policy',
      onLost: 'on_lost',
    });
  });
});

describe('values', () => {
  it.each([
    ['on_gone', 'fail', 0],
    ['on_gone', 'hold:30', 30],
    ['on_gone', 'hold:1000000', 1_000_000],
    ['on_gone', 'hold', 0xffff_fffe],
    ['on_lost', 'zero', 1],
    ['debug_level', '2', 2],
    ['debug_level', 2, 2],
    ['max_remaps', '0', 0],
  ] as const)('%s=%s is understood, and told the same way', (key, input, value) => {
    const { kind } = settingOf(key);
    expect(parseSettingValue(kind, input)).toEqual({ ok: true, value });
    expect(String(formatSettingValue(kind, value))).toBe(String(input));
  });

  it.each([
    ['on_gone', 'hold:0', 'fail, hold or hold:SECONDS (1 to 1000000)'],
    ['on_gone', 'hold:1000001', 'fail, hold or hold:SECONDS (1 to 1000000)'],
    ['on_gone', 'hold:030', 'fail, hold or hold:SECONDS (1 to 1000000)'],
    ['on_gone', 30, 'fail, hold or hold:SECONDS (1 to 1000000)'],
    ['on_lost', 'zeroes', 'error or zero'],
    ['debug_level', '4', 'a whole number from 0 to 3'],
    ['debug_level', '1.5', 'a whole number from 0 to 3'],
    ['debug_level', '1e0', 'a whole number from 0 to 3'],
    ['debug_level', true, 'a whole number from 0 to 3'],
    ['debug_level', '', 'a whole number from 0 to 3'],
    ['autosave_interval', 3601, 'a whole number from 1 to 3600'],
    ['autosave_interval', 0, 'a whole number from 1 to 3600'],
  ] as const)('%s=%s is refused with what was expected', (key, input, expected) => {
    expect(readSettingChanges({ [key]: input })).toEqual({
      ok: false,
      error: `${key}: expected ${expected}, not "${input}"`,
    });
  });
});

describe('changes', () => {
  it('take names of the module, and null for the default', () => {
    expect(readSettingChanges({ dm_remap_debug: 2, scan_interval_hours: '24', on_gone: null })).toEqual({
      ok: true,
      value: { debug_level: 2, metadata_scrub_hours: 24, on_gone: null },
    });
  });

  it.each([
    [{ auto_remap_enabled: 1, autosave_enabled: true, dm_remap_autosave_enabled: '1' }],
    [{ strict_spare_sizing: 0, real_device_mode: '1', enable_fast_path: null }],
  ])('take %j, because that is how things are', (given) => {
    expect(readSettingChanges(given)).toEqual({ ok: true, value: {} });
  });

  it.each([
    [{ auto_remap_enabled: 0 }, 'auto_remap_enabled: is always 1 here: bad sectors are always moved'],
    [{ auto_remap_enabled: 2 }, 'auto_remap_enabled: is always 1 here'],
    [{ strict_spare_sizing: true }, 'strict_spare_sizing: is always 0 here'],
    [{ gc_interval: 60 }, "gc_interval: can't be set here: there is nothing to clean up"],
    [{ global_auto_remaps: 60 }, "global_auto_remaps: can't be set here: is a number to read"],
    [{ max_remap: 60 }, 'max_remap: no such setting; there are debug_level, max_remaps'],
    [{ constructor: 1 }, 'constructor: no such setting'],
    [{ debug: 1, debug_level: 1 }, 'debug_level: is given twice'],
    [{ max_remaps: 5, debug_level: 9 }, 'debug_level: expected'],
  ])('refuse %j as a whole, in one line', (given: Record<string, number | boolean>, start) => {
    const changes = readSettingChanges(given);
    expect(changes.ok ? 'taken' : changes.error).toMatch(new RegExp(`^${start.replace(/[()]/g, '\\$&')}`));
    expect(JSON.stringify(changes)).not.toContain('\\n');
  });
});

describe('the schemas', () => {
  const wellFormed = { on_gone: 'hold:5', max_remaps: 5, on_lost: 'zero', debug: 3, auto_remap_enabled: 1 };

  it('take what is understood', () => {
    expect(settingValuesSchema.safeParse(wellFormed).success).toBe(true);
    expect(settingChangesSchema.safeParse({ ...wellFormed, max_remaps: null }).success).toBe(true);
    expect(settingValuesSchema.safeParse({ max_remaps: null }).success).toBe(false);
    expect(Object.keys(settingValuesSchema.shape).filter((name) => settingNamed(name) === name)).toEqual(
      SETTING_KEYS,
    );
  });

  it.each([
    [{ max_remaps: -1 }, 'expected a whole number from 0 to 134217728'],
    [{ max_remaps: '5' }, 'expected a whole number'],
    [{ on_gone: 'wait' }, 'expected fail, hold'],
    [{ on_lost: 'nothing' }, 'expected error or zero'],
    [{ auto_remap_enabled: 0 }, 'is always 1 here: bad sectors are always moved'],
    [{ gc_interval: 60 }, "gc_interval: can't be set here"],
    [{ maxRemaps: 60 }, 'maxRemaps: no such setting; there are debug_level'],
  ])('refuse %j and say why', (given, message) => {
    const { error } = settingChangesSchema.safeParse(given);
    expect(error?.issues.map((issue) => issue.message)).toEqual([expect.stringContaining(message)]);
  });
});
