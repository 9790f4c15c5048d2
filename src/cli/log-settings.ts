import type { SettingsAtWork } from '../control/served-set.js';
import type {
  DeviceNotice,
  ProtectedDevice,
  SettingChanges,
  SettingReport,
  SettingsChanged,
} from '../library/device-types.js';
import { type Log, logNotice } from './log.js';
import { DEBUG_LEVEL_OF_LOG_LEVEL, LOG_LEVEL_OF_DEBUG_LEVEL, type LogLevel } from './log-level.js';
import { NoticeLimit } from './notice-limit.js';

/** The log of `dmremap run`, as `debug_level` says; and the way of all changes of settings, so that it hears of that one. */
export class LogSettings implements SettingsAtWork {
  readonly #log: Log;
  /** Given by option: then the setting is not asked. */
  readonly #level: LogLevel | undefined;
  readonly #limit: NoticeLimit;
  #device: Pick<ProtectedDevice, 'settings' | 'changeSettings'> | undefined;
  #debugLevel: number;

  constructor(log: Log, level: LogLevel | undefined) {
    this.#log = log;
    this.#level = level;
    this.#debugLevel = DEBUG_LEVEL_OF_LOG_LEVEL[level ?? 'info'];
    this.#limit = new NoticeLimit((notice) => logNotice(log, notice));
  }

  notice(notice: DeviceNotice): void {
    if (this.#debugLevel >= LEAVES_NOTHING_OUT) logNotice(this.#log, notice);
    else this.#limit.add(notice);
  }

  /** From now on the device's settings decide. */
  async follow(device: Pick<ProtectedDevice, 'settings' | 'changeSettings'>): Promise<void> {
    this.#device = device;
    this.#apply(await device.settings());
  }

  all(): Promise<readonly SettingReport[]> {
    return this.#device!.settings();
  }

  async change(changes: SettingChanges): Promise<SettingsChanged> {
    const outcome = await this.#device!.changeSettings(changes);
    this.#apply(outcome.settings);
    for (const { name, value } of outcome.settings)
      if (outcome.changed.includes(name))
        this.#log.info({ event: 'settingChanged', name, value }, `${name} is ${value} now`);
    return outcome;
  }

  requestAnswered(request: string): void {
    if (this.#debugLevel >= LOGS_REQUESTS) this.#log.debug({ event: 'request' }, request);
  }

  #apply(settings: readonly SettingReport[]): void {
    this.#debugLevel = Number(settings.find(({ name }) => name === 'debug_level')!.value);
    this.#log.level = this.#level ?? LOG_LEVEL_OF_DEBUG_LEVEL[this.#debugLevel]!;
  }
}

const LEAVES_NOTHING_OUT = 2;
const LOGS_REQUESTS = 3;
