import type { RemappedDevice } from '../device/remapped-device.js';
import { SettingsKeeper } from '../device/settings-keeper.js';
import type { SettingChanges } from '../settings/setting-changes.js';
import { describeRange, isSettingValue } from '../settings/setting-kind.js';
import { SETTING_KEYS, type SettingKey, type SettingValues, settingOf } from '../settings/setting-table.js';
import { type GivenSettings, reportSettings, type SettingReport } from '../settings/settings-in-force.js';
import type { DeviceNotice } from './device-report.js';
import { type Failure, failure } from './failure.js';
import type { SettingsChanged } from './messages.js';
import { notice } from './notice.js';

/** The settings of a device at work, as calls of the main thread see them. */
export class DeviceSettings {
  readonly #keeper: SettingsKeeper;
  readonly #given: GivenSettings;

  /** Puts them in force. */
  constructor(device: RemappedDevice, given: GivenSettings) {
    this.#keeper = new SettingsKeeper(device, given);
    this.#given = given;
  }

  /** In force. */
  get values(): SettingValues {
    return this.#keeper.values;
  }

  report(): readonly SettingReport[] {
    return reportSettings(this.#keeper.kept, this.#given);
  }

  /** One for each setting that is kept with a value that this version does not take. */
  notices(): DeviceNotice[] {
    return this.#keeper.kept.refused.map((name) => {
      const message = `${name}: what is kept on the spare is no value of this version; the default holds until "dmremap set" changes it`;
      return notice('warn', 'settingRefused', message, { name });
    });
  }

  /**
   * All or nothing; in force only when it is durable. What was given at the start can't be changed: the change would not hold
   * now, although it would be kept.
   */
  change(
    changes: SettingChanges,
    done: (problem: Failure | undefined, changed: SettingsChanged | undefined) => void,
  ): void {
    const refusal = this.#refusalOf(changes);
    if (refusal !== undefined) return done(refusal, undefined);
    this.#keeper.change(changes, (changed) => {
      if (changed === undefined) done(NOT_KEPT, undefined);
      else done(undefined, { changed, settings: this.report() });
    });
  }

  #refusalOf(changes: SettingChanges): Failure | undefined {
    const odd = SETTING_KEYS.find((one) => isOdd(one, changes[one]));
    if (odd !== undefined)
      return failure('usage', `${odd}: expected ${describeRange(settingOf(odd).kind)}, not ${changes[odd]}`);
    const key = SETTING_KEYS.find((one) => changes[one] !== undefined && this.#given[one] !== undefined);
    if (key === undefined) return undefined;
    const { givenBy } = this.#given[key]!;
    return failure(
      'refused',
      `${key}: was given when the set was started (${givenBy}), which beats what is kept; leave it out there and start again`,
    );
  }
}

/** People's words are judged where they are read; a program may have given any number. */
function isOdd(key: SettingKey, value: number | null | undefined): boolean {
  return value !== undefined && value !== null && !isSettingValue(settingOf(key).kind, value);
}

/** A copy may have got it all the same, and then it may be what a start after a power cut finds. */
const NOT_KEPT = failure(
  'io',
  'the settings could not be written to any spare for certain; what was in force stays, look again after the next start',
);
