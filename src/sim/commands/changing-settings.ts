import type { SettingChanges } from '../../settings/setting-changes.js';
import type { SettingValues } from '../../settings/setting-table.js';
import { check } from '../check-failure.js';
import type { Excuses } from '../excuses.js';
import type { Ledger } from '../ledger.js';
import type { Machine } from '../machine.js';
import { newestSuperblock, readMetadata } from '../metadata-reader.js';
import type { Statistics } from '../statistics.js';
import { checkGoesBy } from './goes-by.js';
import type { SetStep } from './setting-step.js';
import { describe, isSame, SettingsModel, settingsOnDisk } from './settings-model.js';

/**
 * Settings that somebody changes while the set is in use: what is acknowledged is kept, whatever happens then, and in force;
 * what is refused is not in force; nothing else is ever kept.
 */
export class ChangingSettings {
  readonly #parts: ChangingParts;
  readonly #model: SettingsModel;
  pendingCount = 0;
  #lifeNumber = 0;
  /** What was, or may have been, in force since all was at rest last, and until when. */
  #earlier: { readonly values: SettingValues; readonly untilUs: number }[] = [];
  /** Of units on spares: as many as there were when all was at rest last. */
  #movedAtRest = 0;

  constructor(parts: ChangingParts) {
    this.#parts = parts;
    const { lostReadsAsZero, keptSettings } = parts.machine.scenario;
    this.#model = new SettingsModel(keptSettings ?? { on_lost: lostReadsAsZero ? 1 : 0 });
  }

  begin({ changes }: SetStep): void {
    const { machine } = this.#parts;
    const lifeNumber = this.#lifeNumber;
    this.pendingCount += 1;
    this.#model.begin(changes);
    machine.life!.changeSettings(changes, (isKept) => {
      if (lifeNumber !== this.#lifeNumber) return;
      this.pendingCount -= 1;
      this.#answered(changes, isKept);
    });
  }

  /** The process is gone: there will be no answers. */
  forget(): void {
    this.#lifeNumber += 1;
    this.pendingCount = 0;
    this.#model.crash();
  }

  mayBeForgotten(): void {
    if (this.#isKept) this.#model.mayBeForgotten();
  }

  /** The next process is at work. */
  checkStarted(): void {
    const { settings } = this.#parts.machine.life!;
    if (settings === undefined) return;
    this.#noteEarlier();
    this.#model.started(settings.values);
    this.#checkDisk();
  }

  /** Nothing is under way. */
  checkAtRest(): void {
    if (!this.#isKept) return;
    this.#checkInForce();
    checkGoesBy(this.#parts.machine.life!.device!, this.#model.acknowledged);
    this.#checkDisk();
    this.#checkLimit();
  }

  /** Now. */
  get lostReadsAsZero(): boolean {
    return this.#model.acknowledged.on_lost === 1;
  }

  /** Counters are saved so often; undefined: nobody does. */
  get savingPeriodSeconds(): number | undefined {
    return this.#isKept ? this.#model.acknowledged.autosave_interval : undefined;
  }

  /** A unit moves when it has been hard to read so often. */
  get readsUntilMove(): number {
    return this.#model.acknowledged.error_threshold;
  }

  /** At any time since then. */
  mayReadLostAsZero(sinceUs: number): boolean {
    return this.#inForceSince(sinceUs).some(({ on_lost }) => on_lost === 1);
  }

  /** At some time since then no more units could move, or hardly any. */
  mayBeAtLimit(sinceUs: number): boolean {
    if (!this.#isKept) return false;
    const limits = this.#inForceSince(sinceUs).map(limitOf);
    return this.#movedCount + UNITS_ON_THEIR_WAY >= Math.min(...limits);
  }

  #answered(changes: SettingChanges, isKept: boolean): void {
    const { excuses, statistics, log, machine } = this.#parts;
    log?.(`set ${JSON.stringify(changes)} -> ${isKept ? 'done' : 'refused'}`);
    statistics.settings += 1;
    const mayFail = excuses.hadFlushFailure || excuses.hadOutage;
    check(isKept || mayFail, 'settings', 'settings are refused, and all copies take what is written');
    this.#noteEarlier();
    this.#model.end(changes, isKept);
    this.#checkInForce();
    if (isKept) this.#checkDisk();
    else log?.(`in force ${describe(machine.life!.settings!.values)}`);
  }

  #noteEarlier(): void {
    const untilUs = this.#parts.machine.clock.nowUs;
    this.#earlier.push(...this.#model.candidates.map((values) => ({ values, untilUs })));
  }

  /** Another change may be kept already, and be told a moment later. */
  #inForceSince(sinceUs: number): readonly SettingValues[] {
    const before = this.#earlier.filter(({ untilUs }) => untilUs >= sinceUs).map(({ values }) => values);
    return [...before, ...this.#model.candidates];
  }

  #checkInForce(): void {
    const { values } = this.#parts.machine.life!.settings!;
    const isRight = isSame(values, this.#model.acknowledged);
    check(isRight, 'settings', `${describe(values)} in force, not ${describe(this.#model.acknowledged)}`);
  }

  #checkDisk(): void {
    const superblock = newestSuperblock(this.#parts.machine.spareBytes);
    check(superblock !== undefined, 'structure', 'there is no superblock any more');
    const kept = settingsOnDisk(superblock);
    const isOne = this.#model.candidates.some((candidate) => isSame(candidate, kept));
    check(isOne, 'settings', `${describe(kept)} on disk, not ${describe(this.#model.acknowledged)}`);
  }

  /** Of a commit that failed the disks may hold more than the device goes by, and the next process goes by that. */
  #checkLimit(): void {
    const { ledger } = this.#parts;
    const before = this.#movedAtRest;
    this.#movedAtRest = this.#movedCount;
    const limits = this.#inForceSince(Number.NEGATIVE_INFINITY).map(limitOf);
    this.#earlier = [];
    if (ledger.hadDoubtfulCommit) return;
    const mayBe = Math.max(before, ...limits);
    const what = `${this.#movedAtRest} units are on spares; ${mayBe} may be`;
    check(this.#movedAtRest <= mayBe, 'settings', what);
  }

  get #movedCount(): number {
    const mappings = readMetadata(this.#parts.machine.spareBytes)?.mappings ?? [];
    return new Set(mappings.map(({ mainUnit }) => mainUnit)).size;
  }

  get #isKept(): boolean {
    return this.#parts.machine.scenario.keptSettings !== undefined;
  }
}

export interface ChangingParts {
  readonly machine: Machine;
  readonly excuses: Excuses;
  readonly ledger: Ledger;
  readonly statistics: Statistics;
  readonly log: ((line: string) => void) | undefined;
}

function limitOf({ max_remaps }: SettingValues): number {
  return max_remaps === 0 ? Number.POSITIVE_INFINITY : max_remaps;
}

/** Places that moves under way may have taken. */
const UNITS_ON_THEIR_WAY = 40;
