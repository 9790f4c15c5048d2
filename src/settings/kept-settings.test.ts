import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readKeptSettings, type SettingStore, withKeptSettings } from './kept-settings.js';
import type { SettingChanges } from './setting-changes.js';
import { isSettingValue } from './setting-kind.js';
import { SETTING_KEYS, STANDARD_SETTINGS, settingOf } from './setting-table.js';
import { reportSettings, settingsInForce, valuesOfReports } from './settings-in-force.js';

const NOTHING: SettingStore = { settings: [], onLost: 0 };

const anyChanges: fc.Arbitrary<SettingChanges> = fc.record(
  Object.fromEntries(
    SETTING_KEYS.map((key) => {
      const { kind } = settingOf(key);
      const numbers =
        kind.kind === 'whole'
          ? fc.integer({ min: kind.minimum, max: kind.maximum })
          : kind.kind === 'hold'
            ? fc.constantFrom(0, 1, 1_000_000, 0xffff_fffe)
            : fc.integer({ min: 0, max: kind.words.length - 1 });
      return [key, fc.option(numbers)];
    }),
  ),
  { requiredKeys: [] },
) as fc.Arbitrary<SettingChanges>;

describe('kept settings', () => {
  it('come back as they were kept; null and zeroes are nothing', () => {
    fc.assert(
      fc.property(anyChanges, anyChanges, (first, second) => {
        const store = withKeptSettings(withKeptSettings(NOTHING, first), second);
        const { values, refused } = readKeptSettings(store);
        expect(refused).toEqual([]);
        const wanted = { ...first, ...second };
        expect(settingsInForce(values, {})).toEqual({
          ...STANDARD_SETTINGS,
          ...Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== null)),
        });
        for (const number of store.settings) expect(number >>> 0).toBe(number);
      }),
    );
    expect(readKeptSettings(NOTHING)).toEqual({ values: {}, refused: [] });
    expect(readKeptSettings({ settings: new Array<number>(64).fill(0), onLost: 0 }).values).toEqual({});
  });

  it('with any damage are within their ranges, or the default, and it is told which', () => {
    const numbers = fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 64 });
    fc.assert(
      fc.property(numbers, (settings) => {
        const { values, refused } = readKeptSettings({ settings, onLost: 0 });
        const inForce = settingsInForce(values, {});
        for (const key of SETTING_KEYS) expect(isSettingValue(settingOf(key).kind, inForce[key])).toBe(true);
        for (const key of refused) expect(inForce[key]).toBe(settingOf(key).standard);
      }),
    );
    expect(readKeptSettings({ settings: [5, 3, 0, 3602], onLost: 0 })).toEqual({
      values: { max_remaps: 2 },
      refused: ['debug_level', 'autosave_interval'],
    });
  });

  it('leave what a later version keeps as it is', () => {
    const later = { settings: [...new Array<number>(40).fill(0), 77], onLost: 0 };
    expect(withKeptSettings(later, { max_remaps: 4, debug_level: null }).settings).toEqual([
      0,
      5,
      ...new Array<number>(38).fill(0),
      77,
    ]);
  });
});

describe('what is in force', () => {
  const given = { on_gone: { value: 0, givenBy: '--on-gone' } };

  it('is what was given, else what is kept, else the default', () => {
    const kept = { on_gone: 60, max_remaps: 9 };
    expect(settingsInForce(kept, given)).toEqual({ ...STANDARD_SETTINGS, on_gone: 0, max_remaps: 9 });
    const reports = reportSettings({ values: kept, refused: [] }, given);
    expect(reports.filter(({ source }) => source !== 'default')).toEqual([
      { name: 'max_remaps', value: 9, source: 'kept', givenBy: null, kept: 9, default: 0 },
      {
        name: 'on_gone',
        value: 'fail',
        source: 'given',
        givenBy: '--on-gone',
        kept: 'hold:60',
        default: 'hold:30',
      },
    ]);
    expect(valuesOfReports(reports)).toEqual(settingsInForce(kept, given));
  });
});
