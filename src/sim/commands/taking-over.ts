import { offlineWork } from '../../device/offline-work.js';
import { isEmptyPlan, planRepair } from '../../device/repair-set.js';
import { replaceMain } from '../../device/replace-main.js';
import { stateOf } from '../../device/survey-set.js';
import { placesOf } from '../check-at-rest.js';
import { check } from '../check-failure.js';
import { checkBystander } from '../check-intruder.js';
import { coldMemory, ioMemory } from '../machine-memory.js';
import { readMetadata, type SetOnDisk } from '../metadata-reader.js';
import { spareBytesAsRead } from './bytes-as-read.js';
import type { CutOverInterruption } from './evacuation-step.js';
import type { MainChange } from './main-change.js';
import { type OfflineParts, OfflineSession } from './offline-session.js';

/**
 * The set is closed, and the bystander holds all of it: that becomes the main device, as `dmremap evacuate` does it. However
 * it ends, the set is there with one of the two, and with the map that belongs to it. True: with the new one.
 */
export function takeOver(
  parts: OfflineParts,
  change: MainChange,
  interruption: CutOverInterruption | undefined,
): boolean {
  const takingOver = new TakingOver(parts, change, interruption);
  if (!takingOver.prepare()) return false;
  takingOver.change();
  return takingOver.isMade;
}

class TakingOver {
  isMade = false;
  readonly #parts: OfflineParts;
  readonly #change: MainChange;
  readonly #interruption: CutOverInterruption | undefined;

  constructor(parts: OfflineParts, change: MainChange, interruption: CutOverInterruption | undefined) {
    this.#parts = parts;
    this.#change = change;
    this.#interruption = interruption;
  }

  /** What is damaged is repaired first. False: it can't be gone on. */
  prepare(): boolean {
    const session = this.#session('before');
    const survey = session.survey();
    // One that was away may lag, or a page of it may: whoever changes the set has to see to that first.
    const isUsable = survey.set !== undefined && ['clean', 'damaged'].includes(stateOf(survey));
    check(isUsable || this.#parts.outages.spareMayLag, 'offline', 'the set is not usable any more');
    if (!isUsable) return false;
    if (isEmptyPlan(planRepair(survey.set!))) return true;
    const errno = session.repair(survey.set!);
    check(errno === undefined || errno === 0, 'offline', `a repair before a change fails with ${errno}`);
    return errno === 0;
  }

  change(): void {
    const { machine } = this.#parts;
    const session = this.#session('change');
    const set = session.surveyUsable();
    const before = mapOf(machine);
    const { geometry } = machine.bystander!;
    checkBystander(machine);
    this.#change.begin();
    const work = offlineWork(set, ioMemory, coldMemory.commitOffset);
    const errno = session.write(replaceMain(work, geometry, 'withLoss'));
    this.isMade = this.#change.settle();
    check(errno === undefined || errno === 0, 'offline', `a change of the main device fails with ${errno}`);
    check(errno !== 0 || this.isMade, 'offline', 'the main device was changed, and the disks do not say so');
    checkBystander(machine);
    if (!session.hasForgotten) this.#checkMap(before);
  }

  /** Only what is lost in part lives on spares still, or everything lives where it lived. */
  #checkMap(before: MapOnDisk): void {
    const after = mapOf(this.#parts.machine);
    const expected = this.isMade ? before.units.filter(({ lostMask }) => lostMask !== 0) : before.units;
    const isSame =
      JSON.stringify([expected, before.retired]) === JSON.stringify([after.units, after.retired]);
    check(
      isSame,
      'offline',
      `a change of the main device has left another map${this.isMade ? '' : ', and the old disk'}`,
    );
  }

  #session(phase: CutOverInterruption['phase']): OfflineSession {
    const interruption = this.#interruption?.phase === phase ? this.#interruption : undefined;
    return new OfflineSession(this.#parts, interruption, false);
  }
}

interface MapOnDisk {
  readonly units: readonly { readonly unit: number; readonly spareUnit: number; readonly lostMask: number }[];
  readonly retired: readonly number[];
}

/** By a reader that knows nothing of the product. */
function mapOf(machine: OfflineParts['machine']): MapOnDisk {
  const set: SetOnDisk | undefined = readMetadata(spareBytesAsRead(machine));
  check(set !== undefined, 'offline', 'there is no set any more');
  const units = [...placesOf(set)].map(([unit, { spareUnit, lostMask }]) => ({ unit, spareUnit, lostMask }));
  return { units: units.sort((one, other) => one.unit - other.unit), retired: set.retired };
}
