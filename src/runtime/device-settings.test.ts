import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import type { DeviceOnMemory } from '../device/testing/device-on-memory.js';
import { numberedDevice } from '../device/testing/numbered-device.js';
import { writeSuperblock } from '../device/write-superblock.js';
import type { SettingChanges } from '../settings/setting-changes.js';
import type { GivenSettings } from '../settings/settings-in-force.js';
import { DeviceSettings } from './device-settings.js';
import type { Failure } from './failure.js';
import type { SettingsChanged } from './messages.js';

function openDevice(given: GivenSettings = {}): { rig: DeviceOnMemory; settings: DeviceSettings } {
  const { rig } = numberedDevice();
  rig.open();
  return { rig, settings: new DeviceSettings(rig.device!, given) };
}

function change(
  { rig, settings }: { rig: DeviceOnMemory; settings: DeviceSettings },
  changes: SettingChanges,
): Failure | SettingsChanged | undefined {
  let outcome: Failure | SettingsChanged | undefined;
  settings.change(changes, (problem, changed) => {
    outcome = problem ?? changed;
  });
  rig.scheduler.advance(1000);
  return outcome;
}

describe('settings of a device at work', () => {
  it('are durable when the change is answered: a kill after it forgets none', () => {
    const parts = openDevice();
    expect(change(parts, { max_remaps: 7, on_lost: 1, on_gone: 60 })).toMatchObject({
      changed: ['max_remaps', 'on_gone', 'on_lost'],
    });
    parts.rig.powerCut(() => false);
    const again = parts.rig.open();
    expect(new DeviceSettings(again, {}).values).toMatchObject({ max_remaps: 7, on_lost: 1, on_gone: 60 });
    expect(again.context.lostReadsAsZero).toBe(true);
    expect(again.onGone).toEqual({ holdMs: 60_000 });
  });

  it('that are so already are not written again', () => {
    const parts = openDevice();
    change(parts, { max_remaps: 7 });
    const { sequence } = parts.rig.device!.metadata.superblock;
    expect(change(parts, { max_remaps: 7, debug_level: null })).toMatchObject({ changed: [] });
    expect(parts.rig.device!.metadata.superblock.sequence).toBe(sequence);
  });

  it('stay as they were where a program gives a number that is none of theirs', () => {
    const parts = openDevice();
    for (const odd of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 99, 2 ** 53])
      expect(change(parts, { max_remaps: 7, on_lost: odd })).toMatchObject({ failure: 'usage' });
    expect(change(parts, { max_remaps: 0.5 })).toMatchObject({ failure: 'usage' });
    expect(parts.settings.values).toMatchObject({ max_remaps: 0, on_lost: 0 });
  });

  it('stay as they were where no spare takes them', () => {
    const parts = openDevice();
    parts.rig.stores[1]!.judge = (io) => (io.kind === 'write' ? ERRNO.EIO : 0);
    expect(change(parts, { max_remaps: 7 })).toMatchObject({ failure: 'io' });
    expect(parts.settings.values.max_remaps).toBe(0);
    expect(parts.rig.device!.context.policy.hasRoom).toBe(true);
    parts.rig.stores[1]!.judge = () => 0;
    expect(change(parts, { max_remaps: 8 })).toMatchObject({ changed: ['max_remaps'] });
  });

  it('that are confirmed after a refusal stay so, whatever the refused ones have left (found by the simulator, seed 776)', () => {
    const parts = openDevice();
    const { rig } = parts;
    rig.stores[1]!.judge = ({ kind }) => (kind === 'flush' ? ERRNO.EIO : 0);
    expect(change(parts, { max_remaps: 7 })).toMatchObject({ failure: 'io' });
    rig.stores[1]!.judge = () => 0;
    expect(change(parts, { max_remaps: null })).toMatchObject({ changed: [] });
    rig.kill();
    expect(new DeviceSettings(rig.open(), {}).values.max_remaps).toBe(0);
  });

  it('that were given can not be changed, and nothing beside them either', () => {
    const parts = openDevice({ on_gone: { value: 0, givenBy: '--on-gone' } });
    expect(change(parts, { max_remaps: 7, on_gone: 30 })).toMatchObject({
      failure: 'refused',
      message: expect.stringMatching(/^on_gone: was given .*--on-gone/),
    });
    expect(parts.settings.values).toMatchObject({ max_remaps: 0, on_gone: 0 });
    expect(change(parts, { max_remaps: 7 })).toMatchObject({ changed: ['max_remaps'] });
  });

  it('that are kept with a value of another version hold their default, which is told, and stay until they are changed', () => {
    const { rig } = numberedDevice();
    const settings = [5, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 99];
    rig.open().metadata.run(
      (work) => writeSuperblock(work, { settings }),
      () => {},
    );
    rig.scheduler.advance(1000);
    rig.kill();
    const parts = { rig, settings: new DeviceSettings(rig.open(), {}) };
    expect(parts.settings.values).toMatchObject({ debug_level: 1, max_remaps: 2 });
    expect(parts.settings.notices()).toMatchObject([
      { event: 'settingRefused', details: { name: 'debug_level' } },
    ]);
    change(parts, { max_remaps: 3 });
    expect(rig.device!.metadata.superblock.settings).toEqual([5, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 99]);
    change(parts, { debug_level: 2 });
    expect(parts.settings.notices()).toEqual([]);
  });
});
