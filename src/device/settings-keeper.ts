import type { Procedure } from '../engine/effect.js';
import { type KeptSettings, readKeptSettings, withKeptSettings } from '../settings/kept-settings.js';
import type { SettingChanges } from '../settings/setting-changes.js';
import { SETTING_KEYS, type SettingKey, type SettingValues } from '../settings/setting-table.js';
import { type GivenSettings, settingsInForce } from '../settings/settings-in-force.js';
import type { MetadataWork } from './metadata-writer.js';
import type { RemappedDevice } from './remapped-device.js';
import { writeSuperblock } from './write-superblock.js';

/** Keeps the settings of a device at work in its superblock, and puts them in force. */
export class SettingsKeeper {
  readonly #device: RemappedDevice;
  readonly #given: GivenSettings;
  #values: SettingValues;

  /** Puts them in force. `given`: these beat what is kept. */
  constructor(device: RemappedDevice, given: GivenSettings) {
    this.#device = device;
    this.#given = given;
    this.#values = this.#apply();
  }

  /** In force. */
  get values(): SettingValues {
    return this.#values;
  }

  get kept(): KeptSettings {
    return readKeptSettings(this.#device.metadata.superblock);
  }

  /**
   * All or nothing; in force only when it is durable. `done` hears which are kept with another value now; undefined where no
   * spare could be written: then nothing has changed.
   */
  change(changes: SettingChanges, done: (changed: readonly SettingKey[] | undefined) => void): void {
    this.#device.metadata.run(
      (work) => keepSettings(work, changes),
      (changed) => {
        if (changed !== undefined) this.#values = this.#apply();
        done(changed);
      },
    );
  }

  #apply(): SettingValues {
    const values = settingsInForce(this.kept.values, this.#given);
    this.#device.applySettings(values);
    return values;
  }
}

function* keepSettings(
  work: MetadataWork,
  changes: SettingChanges,
): Procedure<readonly SettingKey[] | undefined> {
  const { superblock } = work.state;
  const next = withKeptSettings(superblock, changes);
  const [before, after] = [superblock, next].map((store) => readKeptSettings(store).values);
  const changed = SETTING_KEYS.filter((key) => before![key] !== after![key]);
  const isSame = superblock.onLost === next.onLost && sameNumbers(superblock.settings, next.settings);
  // One that failed may be on a disk all the same, and would come up at the next start.
  const isNew = !isSame || !work.state.lag.isSuperblockDurable;
  if (isNew && (yield* writeSuperblock(work, next)) !== 0) return undefined;
  return changed;
}

function sameNumbers(one: readonly number[], other: readonly number[]): boolean {
  const length = Math.max(one.length, other.length);
  return Array.from({ length }).every((_, index) => (one[index] ?? 0) === (other[index] ?? 0));
}
