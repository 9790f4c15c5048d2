import { ERRNO } from '../../base/errno.js';
import { addSpare } from '../../device/add-spare.js';
import { offlineWork } from '../../device/offline-work.js';
import { removeSpare } from '../../device/remove-spare.js';
import { isEmptyPlan, planRepair } from '../../device/repair-set.js';
import { type SurveyedSet, stateOf } from '../../device/survey-set.js';
import { writeSuperblock } from '../../device/write-superblock.js';
import { planAddedSpare } from '../../format/plan-added-spare.js';
import { planRemovedSpare } from '../../format/plan-removed-spare.js';
import { check } from '../check-failure.js';
import { coldMemory, ioMemory } from '../machine-memory.js';
import { newestSuperblock, placeOfUnit, readMetadata } from '../metadata-reader.js';
import type { SimDisk } from '../sim-disk.js';
import { spareBytesAsRead } from './bytes-as-read.js';
import { keepSafeCopies, losesSafeCopies } from './keep-safe-copies.js';
import { type OfflineParts, OfflineSession } from './offline-session.js';
import { physicalMap } from './physical-map.js';
import type { ChangeSparesStep, SpareInterruption } from './spare-step.js';

/**
 * No process is at work: a disk becomes a spare, or a spare none, as `dmremap spare` does it. However it ends, the set is
 * there, with the disk or without it, and every unit lies where it lay.
 */
export function changeSpares(parts: OfflineParts, step: ChangeSparesStep): void {
  const change = new SpareChange(parts, step.interruption);
  if (!change.prepare()) return;
  if (step.change === 'add') change.add();
  else change.remove(step.spare);
}

class SpareChange {
  readonly #parts: OfflineParts;
  readonly #interruption: SpareInterruption | undefined;

  constructor(parts: OfflineParts, interruption: SpareInterruption | undefined) {
    this.#parts = parts;
    this.#interruption = interruption;
  }

  /** What is damaged is repaired first. False: it can't be gone on. */
  prepare(): boolean {
    const session = this.#session('before');
    const survey = session.survey();
    // One that was away may lag, or a page of it may: whoever changes the set has to see to that first.
    const mayLag = this.#parts.outages.spareMayLag;
    const isUsable = survey.set !== undefined && ['clean', 'damaged'].includes(stateOf(survey));
    check(isUsable || mayLag, 'offline', 'the set is not usable any more');
    return isUsable && this.#makeWhole(session, survey.set!);
  }

  add(): void {
    const { machine, statistics, old } = this.#parts;
    const added = machine.disks[machine.setDisks.length];
    if (added === undefined || added.isBystander) return;
    const set = this.#session('change').survey().set!;
    const layout = planAddedSpare(set.choice.superblock, added.geometry.sizeBytes);
    if (!layout.ok || losesSafeCopies(machine, layout.value)) return;
    added.faults.clear();
    const before = machine.spares;
    const session = this.#session('change');
    const map = physicalMap(machine);
    const work = offlineWork(set, ioMemory, coldMemory.commitOffset);
    const errno = session.write(addSpare(work, layout.value, uuidFor(machine, added)));
    const isIn = newestSuperblock(machine.spareBytes)?.spares.length === before.length + 1;
    check(errno === undefined || (errno === 0 && isIn), 'offline', `adding a spare fails with ${errno}`);
    statistics.spareChanges += 1;
    if (isIn) this.#adopt([...before, added]);
    old.forget();
    this.#checkMap(session, map, 'adding a spare');
    if (errno === 0) this.#complete(false);
  }

  remove(drawn: number): void {
    const { machine, statistics, old } = this.#parts;
    if (machine.spares.length === 1) return;
    const spareIndex = drawn % machine.spares.length;
    const session = this.#session('change');
    const set = session.survey().set!;
    const wasClean = set.choice.superblock.cleanShutdown;
    const isUsed = this.#holdsUnits(spareIndex);
    const map = physicalMap(machine);
    const work = offlineWork(set, ioMemory, coldMemory.commitOffset);
    const plan = planRemovedSpare(set.choice.superblock, spareIndex);
    const errno = session.write(removeSpare(work, plan, spareIndex));
    const left = machine.spares.filter((_, index) => index !== spareIndex);
    const isOut = areTheSet(left, machine.spares);
    const isRight = isUsed ? errno === ERRNO.EBUSY && !isOut : errno === 0 && isOut;
    check(errno === undefined || isRight, 'offline', `removing a spare fails with ${errno}`);
    statistics.spareChanges += 1;
    if (isOut) this.#adopt(left);
    old.forget();
    this.#checkMap(session, map, 'removing a spare');
    if (errno === 0) this.#complete(wasClean);
  }

  /** The copies that are new, or have a new number, get what they lack. */
  #complete(wasClean: boolean): void {
    const session = this.#session('after');
    const set = session.surveyUsable();
    if (!this.#makeWhole(session, set)) return;
    session.checkWhole('a change of the spares');
    if (!wasClean) return;
    const work = offlineWork(session.surveyUsable(), ioMemory, coldMemory.commitOffset);
    session.write(writeSuperblock(work, { cleanShutdown: true }));
  }

  #makeWhole(session: OfflineSession, set: SurveyedSet): boolean {
    if (isEmptyPlan(planRepair(set))) return true;
    const errno = session.repair(set);
    check(errno === undefined || errno === 0, 'offline', `a repair before a change fails with ${errno}`);
    return errno === 0;
  }

  #adopt(spares: readonly SimDisk[]): void {
    const { machine } = this.#parts;
    const safe = machine.safeCopies.map((copyIndex, spareIndex) => ({
      disk: machine.spares[spareIndex]!,
      offsetBytes: machine.layout!.copies[copyIndex]!.offsetBytes,
    }));
    machine.setSpares(spares);
    machine.layout = newestSuperblock(machine.spareBytes);
    keepSafeCopies(machine, safe);
  }

  #checkMap(session: OfflineSession, before: string, what: string): void {
    const isSame = session.hasForgotten || physicalMap(this.#parts.machine) === before;
    check(isSame, 'offline', `${what} has moved units`);
  }

  #holdsUnits(spareIndex: number): boolean {
    const { superblock, mappings } = readMetadata(spareBytesAsRead(this.#parts.machine))!;
    return mappings.some(({ spareUnit }) => placeOfUnit(superblock, spareUnit).spareIndex === spareIndex);
  }

  #session(phase: SpareInterruption['phase']): OfflineSession {
    const interruption = this.#interruption?.phase === phase ? this.#interruption : undefined;
    return new OfflineSession(this.#parts, interruption, false);
  }
}

/** The newest superblock is of a set of these disks, and no more. */
function areTheSet(spares: readonly SimDisk[], before: readonly SimDisk[]): boolean {
  const newestOn = (disks: readonly SimDisk[]) => newestSuperblock(disks.map(({ contents }) => contents));
  const newest = newestOn(spares);
  return newest?.spares.length === spares.length && newest.sequence >= (newestOn(before)?.sequence ?? 0);
}

/** Of no other spare that the set has or had. */
function uuidFor({ layout }: OfflineParts['machine'], { id }: SimDisk): Uint8Array {
  const uuid = new Uint8Array(16).fill(0x80 + id);
  new DataView(uuid.buffer).setFloat64(0, layout!.sequence);
  return uuid;
}
