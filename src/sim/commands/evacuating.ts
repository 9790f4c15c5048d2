import type { EvacuationProgress } from '../../device/evacuation-progress.js';
import { Version, versionAt } from '../block-pattern.js';
import { check } from '../check-failure.js';
import { readExisting } from '../metadata-reader.js';
import type { ByHandParts } from './by-hand.js';
import type { EvacuateStep, EvacuationTurnStep } from './evacuation-step.js';
import { type SettledOnDisk, settledOnDisk } from './settled-on-disk.js';

/** A set that is copied to another disk while it is in use: what has an end has a reason, and a copy is one. */
export class Evacuating {
  readonly #parts: ByHandParts;
  /** The next process goes on with it. */
  #isWanted = false;
  /** Whoever begins to copy to the same disk again says so. */
  #isRemembered = false;
  /** Of the last copying: what is recorded in the set is about this one. */
  #copyNumber = 0;
  #lifeNumber = 0;
  #failuresBefore = 0;
  #startedAtUs = 0;
  /** When it began, blocks had been discarded and not written since. */
  #mayDiffer = false;
  /** What is copied may be recorded no more: it was given up, or what the main device alone holds was. */
  #mayGoUnrecorded = false;
  /** Cancelled, and the disk is not let go of yet. */
  pendingCount = 0;

  constructor(parts: ByHandParts) {
    this.#parts = parts;
  }

  begin({ isFresh }: Pick<EvacuateStep, 'isFresh'>): void {
    const { machine, ledger } = this.#parts;
    const { bystander } = machine;
    if (bystander === undefined || this.pendingCount > 0 || !this.#isAllowed) return;
    const { replacement } = machine.life!;
    if (replacement!.state === undefined) {
      // It can't be opened.
      if (bystander.isGone) return;
      if (isFresh) bystander.faults.clear();
      const isSameCopy = this.#isWanted || (this.#isRemembered && !isFresh);
      if (!isSameCopy) this.#copyNumber += 1;
      this.#failuresBefore = ledger.bystanderFailureCount;
      this.#startedAtUs = machine.clock.nowUs;
      this.#mayDiffer = this.#mayHoldAnything;
      this.#mayGoUnrecorded = false;
    }
    this.#isWanted = true;
    this.#isRemembered = true;
    replacement!.begin(bystander, copyIdOf(this.#copyNumber));
  }

  cancel(): void {
    const { life } = this.#parts.machine;
    // It would have to wait until somebody resumes the set, so it is refused.
    if (life!.replacement!.state === undefined || life!.device!.suspension.isOn) return;
    const lifeNumber = this.#lifeNumber;
    this.pendingCount += 1;
    life!.replacement!.cancel(() => {
      if (lifeNumber !== this.#lifeNumber) return;
      this.pendingCount -= 1;
      check(
        life!.replacement!.state === undefined,
        'evacuation',
        'it is cancelled, and the disk is still in use',
      );
    });
  }

  /** Nothing is copied until it is resumed. */
  turn({ kind }: EvacuationTurnStep): void {
    const replacement = this.#parts.machine.life!.replacement!;
    if (replacement.state === undefined) return;
    if (kind === 'pauseEvacuation') replacement.pause();
    else if (kind === 'resumeEvacuation') replacement.resume();
    else this.#acceptLoss();
  }

  /** What is not copied may be lost from now on, although the main device may come back with it before it is. */
  #acceptLoss(): void {
    const { machine, model, ledger, statistics } = this.#parts;
    const { mainBytes, blockBytes, unitBytes } = machine.scenario;
    const { replacement } = machine.life!;
    const lost = [...Array(mainBytes / blockBytes).keys()].filter(
      (block) => !replacement!.holds(block * blockBytes, blockBytes),
    );
    if (!replacement!.acceptLoss()) return;
    this.#mayGoUnrecorded = true;
    statistics.acceptedLosses += 1;
    for (const block of lost) {
      model.noteAllDamage(block);
      ledger.noteReasonToMove(Math.floor((block * blockBytes) / unitBytes));
    }
  }

  /** Everything is to come to its end. */
  unpause(): void {
    this.#parts.machine.life!.replacement?.resume();
  }

  /** The process is gone. */
  forget(): void {
    this.#lifeNumber += 1;
    this.pendingCount = 0;
  }

  /** The machine was started anew, or the set was stopped in order: every second copying goes on by itself. */
  noteRestart(): void {
    this.#isWanted = this.#isWanted && this.#copyNumber % 2 === 0;
  }

  /** It has failed, was cancelled, or the disk is the main device. */
  forgetWish(): void {
    this.#isWanted = false;
    this.#isRemembered = false;
  }

  /** What is recorded in the set counts no more. */
  losePosition(): void {
    this.#copyNumber += 1;
    this.#mayGoUnrecorded = true;
  }

  /** The next process is at work. */
  resume(): void {
    if (this.#isWanted) this.begin({ isFresh: false });
  }

  /** Nothing is left to be copied, or the rest can't be. */
  get isSettled(): boolean {
    return this.#parts.machine.life!.replacement?.state !== 'copying';
  }

  hear({ state, failure, beginning }: EvacuationProgress): void {
    const { statistics, ledger } = this.#parts;
    if (state === 'copied') statistics.evacuations += 1;
    if (state === 'copying' && beginning === 'position') statistics.copiesGoneOnWith += 1;
    if (beginning === 'differs') this.#judgeDifference();
    if (state === 'failed' || state === 'cancelled') this.forgetWish();
    if (state === 'failed') {
      const hasFailed = ledger.bystanderFailureCount > this.#failuresBefore;
      check(hasFailed, 'evacuation', `it has failed, and the other disk has not: ${JSON.stringify(failure)}`);
    }
    if (state === 'incomplete') this.#judgeIncomplete();
  }

  /** Nothing is under way. `versions`: by block, what was read just now, or a negative number. */
  checkAtRest(versions: Int32Array): void {
    const { machine } = this.#parts;
    if (machine.bystander === undefined) return;
    for (const { from, to } of this.#settled().settled) this.#checkCopied(versions, from, to, true);
    const { replacement } = machine.life!;
    if (replacement!.state !== 'copied' || replacement!.isCutOff) return;
    this.#checkCopied(versions, 0, machine.scenario.mainBytes, false);
  }

  /** Everything is copied, nothing has changed for a while, and everything works. */
  checkRecorded(): void {
    const { machine, excuses, mayHoldMore } = this.#parts;
    const { replacement } = machine.life!;
    if (replacement!.state !== 'copied' || replacement!.isCutOff || this.#mayGoUnrecorded) return;
    if (mayHoldMore() || excuses.hadFlushFailure || excuses.hadOutage) return;
    const { partCount, settled } = this.#settled();
    const isRecorded = partCount > 0 && settled.length === partCount;
    check(
      isRecorded,
      'evacuation',
      `of what is copied ${settled.length} parts are recorded, of ${partCount}`,
    );
  }

  /** `isRecorded`: for good, as the set says itself. */
  #checkCopied(versions: Int32Array, from: number, to: number, isRecorded: boolean): void {
    const { machine, model } = this.#parts;
    const { blockBytes } = machine.scenario;
    for (let block = from / blockBytes; block < Math.min(to / blockBytes, versions.length); block += 1) {
      const version = versions[block]!;
      if (version < 0 || model.mayHoldAnything(block)) continue;
      // Lost after it was copied, and zeroes are read in its place.
      if (version === Version.zero && model.mayBeLost(block)) continue;
      const held = this.#heldByOther(block, isRecorded);
      const what = isRecorded ? 'recorded as copied, which is' : 'copied as';
      check(
        held === version,
        'evacuation',
        `block ${block} is ${what} version ${held}, and reads as ${version}`,
      );
    }
  }

  /** `isDurable`: also if the power failed now. */
  #heldByOther(block: number, isDurable: boolean): number {
    const { bystander, scenario } = this.#parts.machine;
    const { blockBytes } = scenario;
    const stable = isDurable ? bystander!.stableViewOf(block) : undefined;
    if (stable !== undefined) return versionAt(stable, 0, blockBytes, block);
    return versionAt(bystander!.view, block * blockBytes, blockBytes, block);
  }

  /** Of the last copying. */
  #settled(): SettledOnDisk {
    const { superblock } = readExisting(this.#parts.machine.spareBytes);
    return settledOnDisk(superblock, copyIdOf(this.#copyNumber));
  }

  /** Who uses a block device was not told to flush. */
  get #isAllowed(): boolean {
    const { disks, bystander, blockDevice } = this.#parts.machine;
    const hasCache = disks[0]!.geometry.queue.volatileCache;
    return blockDevice === undefined || hasCache || !bystander!.geometry.queue.volatileCache;
  }

  /** Nobody else writes to the other disk, and what it holds durably it keeps; but a discard is done in its own way. */
  #judgeDifference(): void {
    const isExcused = this.#mayDiffer || this.#mayHoldAnything;
    check(isExcused, 'evacuation', 'what is recorded as copied is not there any more');
  }

  get #mayHoldAnything(): boolean {
    const { model } = this.#parts;
    return [...Array(model.blockCount).keys()].some((block) => model.mayHoldAnything(block));
  }

  /** That a block is lost could not be remembered. */
  #judgeIncomplete(): void {
    const { excuses, mayBeFull, mayRefuseWrites } = this.#parts;
    const isExcused =
      mayBeFull(this.#startedAtUs) ||
      mayRefuseWrites() ||
      excuses.outageSince(this.#startedAtUs) ||
      excuses.flushFailedSince(this.#startedAtUs);
    check(
      isExcused,
      'evacuation',
      'something can neither be read nor be remembered as lost, and there are places left',
    );
  }
}

function copyIdOf(copyNumber: number): Uint8Array {
  const copyId = new Uint8Array(16);
  new DataView(copyId.buffer).setUint32(0, copyNumber);
  return copyId;
}
