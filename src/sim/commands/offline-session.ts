import { offlineWork } from '../../device/offline-work.js';
import { isEmptyPlan, planRepair, repairSet } from '../../device/repair-set.js';
import { type SetSurvey, type SurveyedSet, stateOf, surveySet } from '../../device/survey-set.js';
import type { Procedure } from '../../engine/effect.js';
import { placesOf } from '../check-at-rest.js';
import { check } from '../check-failure.js';
import type { GrowingNumbers } from '../growing-numbers.js';
import type { FaultParts } from '../inject-fault.js';
import { coldMemory, ioMemory } from '../machine-memory.js';
import { readMetadata } from '../metadata-reader.js';
import type { Statistics } from '../statistics.js';
import { spareBytesAsRead } from './bytes-as-read.js';
import type { ChangingSettings } from './changing-settings.js';
import type { OfflineCommand } from './command-step.js';
import { findDisagreement, hasFaultyMetadata, hasUnflushedMetadata } from './copies-agree.js';

/** One command, as if in a process of its own. */
export class OfflineSession {
  readonly parts: OfflineParts;
  /** Faults may come in between: copies may be left behind. */
  readonly isDisturbed: boolean;
  #interruption: OfflineCommand['interruption'];
  /** A process that was killed had written metadata and not flushed it. */
  readonly #mayForget: boolean;
  #hasForgotten = false;

  constructor(parts: OfflineParts, interruption: OfflineCommand['interruption'], isDisturbed: boolean) {
    this.parts = parts;
    this.isDisturbed = isDisturbed;
    this.#interruption = interruption;
    this.#mayForget = hasUnflushedMetadata(parts.machine);
  }

  survey(): SetSurvey {
    const { machine } = this.parts;
    const devices = machine.spares.map(({ target, geometry }) => ({ target, ...geometry }));
    const bufferOffset = coldMemory.recoveryOffset;
    return machine.runOffline(surveySet({ devices, memory: ioMemory, bufferOffset }))!.value;
  }

  /** A set that can be worked on; of several spares, one that was away may lag, which `--force` lifts. */
  surveyUsable(): SurveyedSet {
    const survey = this.survey();
    const { outages } = this.parts;
    const isUsable = survey.set !== undefined && stateOf(survey) !== 'unusable';
    check(isUsable, 'offline', 'the set is not usable any more');
    check(survey.found.ok || outages.spareMayLag, 'offline', 'the set is refused');
    return survey.set!;
  }

  /** Undefined: it was cut off, which happens to the first only. */
  write(procedure: Procedure<number>): number | undefined {
    const { machine, end } = this.parts;
    const interruption = this.#interruption;
    this.#interruption = undefined;
    const outcome = machine.runOffline(procedure, interruption?.events);
    if (outcome !== undefined) return outcome.value;
    end(interruption!.how);
    this.#hasForgotten = this.#mayForget && interruption!.how === 'powerCut';
    return undefined;
  }

  /** Undefined if it was cut off. */
  repair(set: SurveyedSet): number | undefined {
    return this.write(repairSet(offlineWork(set, ioMemory, coldMemory.commitOffset), planRepair(set)));
  }

  get hasForgotten(): boolean {
    return this.#hasForgotten;
  }

  /** Where every unit is, and what is lost of it, by a reader that knows nothing of the product. */
  readMap(): string | undefined {
    const set = readMetadata(spareBytesAsRead(this.parts.machine));
    if (set === undefined) return undefined;
    const places = [...placesOf(set)].map(([unit, { spareUnit, lostMask }]) => [unit, spareUnit, lostMask]);
    return JSON.stringify(places.sort(([one], [other]) => one! - other!));
  }

  /** What nobody was told of may be gone with the power; everything else is where it was. */
  checkMap(before: string | undefined, what: string): void {
    const isSame = this.#hasForgotten || this.readMap() === before;
    check(isSame, 'offline', `${what} has changed the map`);
  }

  /** Nothing is left to do for a repair. */
  checkWhole(what: string): void {
    const { machine } = this.parts;
    if (this.isDisturbed) return;
    const disagreement = findDisagreement(machine);
    check(disagreement === undefined, 'offline', `after ${what}: ${disagreement}`);
    if (hasFaultyMetadata(machine)) return;
    const plan = planRepair(this.survey().set!);
    check(isEmptyPlan(plan), 'offline', `after ${what} there is more to repair: ${JSON.stringify(plan)}`);
  }
}

export interface OfflineParts extends FaultParts {
  readonly statistics: Statistics;
  readonly growing: GrowingNumbers;
  readonly settings: ChangingSettings;
  /** The command, or all of the machine, goes away. */
  readonly end: (how: 'kill' | 'powerCut') => void;
}
