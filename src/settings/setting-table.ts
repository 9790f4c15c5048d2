import { ALLOCATION_POLICIES } from './allocation-policies.js';
import type { SettingKind } from './setting-kind.js';

/** One setting of a set: all that commands, documents, schemas and the spare know of it comes from here. */
export interface Setting {
  readonly kind: SettingKind;
  readonly standard: number;
  /**
   * Where it is kept on the spare, in `Superblock.settings`; never given to another one. `onLost`: the field of that name,
   * which was there before.
   */
  readonly place: number | 'onLost';
  /** Names of the kernel module that mean the same. */
  readonly aliases: readonly string[];
  /** What it does here; whole sentences. All settings apply at once. */
  readonly here: string;
  /** What it did in the module, with its range and default there; undefined: the module had no such thing. */
  readonly module: string | undefined;
  /** The option of `dmremap run` that beats it. */
  readonly option: string | undefined;
}

/** In the order of help and documents: the module's, then ours. */
export const SETTINGS = {
  debug_level: {
    kind: { kind: 'whole', minimum: 0, maximum: 3 },
    standard: 1,
    place: 0,
    aliases: ['dm_remap_debug', 'debug'],
    here: 'What the process logs. 0: warnings and errors. 1: also what happens otherwise. 2: nothing of a flood of like events is left out. 3: also the requests to the control socket.',
    module: 'Messages in the kernel log, 0 to 2 or 3, default 0 or 1.',
    option: '--log-level',
  },
  max_remaps: {
    kind: { kind: 'whole', minimum: 0, maximum: 1 << 27 },
    standard: 0,
    place: 1,
    aliases: [],
    here: 'How many units may live on spares; 0: as many as there is room for. Beyond that a write to a bad sector fails as with a full spare. What has moved stays, also where it is more.',
    module: 'Length of the table of remaps, in sectors; default 1024 or 1000.',
    option: undefined,
  },
  error_threshold: {
    kind: { kind: 'whole', minimum: 1, maximum: 100 },
    standard: 1,
    place: 2,
    aliases: [],
    here: 'How often a unit has to be read with medium errors that retries overcame, within 300 seconds, until it moves to a spare. A unit that refuses a write, or has blocks that stay unreadable, moves at the first time whatever this says.',
    module: 'Errors of a sector within 300 seconds until it was remapped, 1 to 100, default 3.',
    option: undefined,
  },
  autosave_interval: {
    kind: { kind: 'whole', minimum: 1, maximum: 3600 },
    standard: 3600,
    place: 3,
    aliases: ['dm_remap_autosave_interval'],
    here: 'Seconds between savings of the counters ("dmremap inspect"), where they changed; a crash loses what was counted since. The map never waits for this: every change of it is durable before it is used. While a device is gone nothing is saved.',
    module: 'Seconds between savings of the metadata, 1 to 3600, default 60.',
    option: undefined,
  },
  metadata_scrub_hours: {
    kind: { kind: 'whole', minimum: 0, maximum: 99_999 },
    standard: 168,
    place: 4,
    aliases: ['scan_interval_hours'],
    here: 'Hours between comparisons of all copies of the metadata, which are repaired where they differ, as message "scan" does; 0: never. The surface of the disk is not read. A change begins a new period.',
    module: 'scan_interval_hours: hours between scans, 1 to 168, default 24; nothing used it.',
    option: '--metadata-scrub',
  },
  spare_overhead_percent: {
    kind: { kind: 'whole', minimum: 0, maximum: 20 },
    standard: 0,
    place: 5,
    aliases: [],
    here: 'The status warns where the spares have room for less than this part of the main device; 0: no such warning.',
    module: 'Part of the main device that the smallest spare had to have room for, 0 to 20, default 2.',
    option: undefined,
  },
  emergency_threshold: {
    kind: { kind: 'whole', minimum: 1, maximum: 100 },
    standard: 100,
    place: 6,
    aliases: [],
    here: 'Percent of the room on spares that may be in use until the status is critical, and the event "spareNearlyFull" says so. 100: only when they are full.',
    module: 'Percent of the spare in use until "emergency mode", default 90.',
    option: undefined,
  },
  spare_warning_percent: {
    kind: { kind: 'whole', minimum: 1, maximum: 100 },
    standard: 90,
    place: 7,
    aliases: [],
    here: 'Percent of the room on spares that may be in use until the status warns, and the event "spareLow" says so.',
    module: undefined,
    option: undefined,
  },
  allocation_policy: {
    kind: { kind: 'choice', words: ALLOCATION_POLICIES },
    standard: 0,
    place: 9,
    aliases: [],
    here: 'Where a unit goes that leaves the main device. "sequential": the next free place of the first spare that has one. "near": beside the units that were its neighbours, so that reading over many of them stays sequential. "spread": to all spares in turn, and on each to all its places, so that they wear evenly. "balance": to the spare of which most is free, less what went bad. What has a place keeps it.',
    module: undefined,
    option: undefined,
  },
  on_gone: {
    kind: { kind: 'hold' },
    standard: 30,
    place: 8,
    aliases: [],
    here: 'What requests do that need a device which is gone: "fail" at once, "hold" until it is back, or "hold:SECONDS" before they fail.',
    module: undefined,
    option: '--on-gone',
  },
  on_lost: {
    kind: { kind: 'choice', words: ['error', 'zero'] },
    standard: 0,
    place: 'onLost',
    aliases: [],
    here: 'What reading a block whose contents are lost gives: an "error", or, counted, "zero".',
    module: undefined,
    option: '--on-lost',
  },
} as const satisfies Record<string, Setting>;

export type SettingKey = keyof typeof SETTINGS;

/** Of every setting the value in force. */
export type SettingValues = Readonly<Record<SettingKey, number>>;

export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[];

export function settingOf(key: SettingKey): Setting {
  return SETTINGS[key];
}

export const STANDARD_SETTINGS = Object.fromEntries(
  SETTING_KEYS.map((key) => [key, SETTINGS[key].standard]),
) as SettingValues;
