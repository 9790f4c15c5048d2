import { describe, expect, it } from 'vitest';
import { STANDARD_SETTINGS } from '../../settings/setting-table.js';
import { SettingsModel } from './settings-model.js';

const with7 = { ...STANDARD_SETTINGS, max_remaps: 7 };

describe('what may be kept of settings', () => {
  it('is the old or the new while a change is under way, and what comes after it is not begun', () => {
    const model = new SettingsModel({});
    model.begin({ max_remaps: 7 });
    model.begin({ on_lost: 1 });
    model.crash();
    expect(() => model.started({ ...with7, on_lost: 1 })).toThrow('started with');
    model.started(with7);
    expect(() => model.started(STANDARD_SETTINGS)).toThrow('started with');
  });

  it('is only what was acknowledged, also after one that was refused', () => {
    const model = new SettingsModel({});
    const [refused, kept] = [{ max_remaps: 7 }, { on_lost: 1 }];
    model.begin(refused);
    model.end(refused, false);
    expect(model.candidates).toContainEqual(with7);
    model.begin(kept);
    model.end(kept, true);
    expect(model.candidates).toEqual([{ ...STANDARD_SETTINGS, on_lost: 1 }]);
  });

  it('may be the defaults after a set was written anew from a dump, which carries one of them', () => {
    const model = new SettingsModel({ on_lost: 1, max_remaps: 7 });
    model.mayBeForgotten();
    model.started({ ...STANDARD_SETTINGS, on_lost: 1 });
    expect(() => model.started(STANDARD_SETTINGS)).toThrow('started with');
  });
});
