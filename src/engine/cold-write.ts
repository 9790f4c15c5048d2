import { ERRNO } from '../base/errno.js';
import { DescriptorReason, DescriptorState } from '../format/descriptor-page.js';
import { bitCount } from './bit-count.js';
import type { ColdContext, PendingChanges, Scratch } from './cold-context.js';
import { confirmLoss } from './confirm-loss.js';
import { Counter, count } from './counters.js';
import type { Procedure, TransferEffect } from './effect.js';
import { MAIN } from './effect.js';
import { flushFailureTotal, flushWritten } from './flush-all.js';
import { checkMain, mayBlameSector } from './probe.js';
import { fillFromReplacement } from './read-replacement.js';
import { commitChanges, isBeyondLimit, placeOnSpare, retirementOf } from './relocation.js';
import type { FailedAttempt } from './retry.js';
import { confirmFailure, isMediaClass, transferWithRetries } from './retry.js';
import { salvageBlocks } from './salvage.js';
import type { ByteRange, Segment } from './segments.js';
import { coveredMask, existingMask, halve, segmentsOf, targetsOf } from './segments.js';
import { spareOfUnitAnswers } from './spare-probe.js';

/**
 * A write that the hot path could not do: the main device refused a part of it, or it gives lost blocks new contents.
 * What the main device takes stays there; every unit that it refuses goes to a spare, together with what is readable
 * of its other blocks (P2). The caller holds the lock of the range. Answers 0 or an errno: ENOSPC with no spare left.
 */
export function* writeWithRelocation(
  context: ColdContext,
  scratch: Scratch,
  range: ByteRange,
  manner: WriteManner,
): Procedure<number> {
  const outcome = yield* writeOnce(context, scratch, range, manner);
  if (outcome !== PLACES_UNDONE) return outcome;
  // A failed flush may have taken back what was placed on a spare that works: all of it is here still.
  const again = yield* writeOnce(context, scratch, range, manner);
  return again === PLACES_UNDONE ? ERRNO.EIO : again;
}

export interface WriteManner {
  readonly durable: boolean;
  /** No disk has refused it yet: it need not be cut up at once. */
  readonly isUntried: boolean;
}

/** Answers 0, an errno, or `PLACES_UNDONE`. */
function* writeOnce(
  context: ColdContext,
  scratch: Scratch,
  range: ByteRange,
  { durable, isUntried }: WriteManner,
): Procedure<number> {
  const work: WriteWork = { context, scratch, changes: { first: [], updates: [], afterwards: [] } };
  const segments = segmentsOf(context, range);
  const failuresBefore = flushFailureTotal(context);
  let errno = 0;
  for (const segment of segments) {
    const onMain = segment.spareUnit === -1;
    const result = yield* onMain
      ? writeMain(work, segment, segments.length === 1 && !isUntried)
      : writeSpare(work, segment);
    errno = errno === 0 ? result : errno;
  }
  const committed = yield* commitChanges(context, work.changes);
  if (errno !== 0) return errno;
  if (committed !== 0) return flushFailureTotal(context) === failuresBefore ? committed : PLACES_UNDONE;
  if (!durable) return 0;
  return yield* flushWritten(context, failuresBefore, targetsOf(context, segments));
}

/** A commit has failed, and with it a flush. No errno. */
const PLACES_UNDONE = -1;

interface WriteWork {
  readonly context: ColdContext;
  readonly scratch: Scratch;
  readonly changes: PendingChanges;
}

/** Splits down to single units; `knownToFail` saves repeating a write that has just failed as a whole. */
function* writeMain(work: WriteWork, segment: Segment, knownToFail: boolean): Procedure<number> {
  const { context } = work;
  if (context.breaker.isOpen) return ERRNO.EIO;
  const halves = halve(context, segment);
  if (halves === undefined) return yield* writeMainUnit(work, segment);
  if (!knownToFail) {
    const effect = writeEffect(segment, MAIN, segment.offsetBytes);
    const attempt = yield* transferWithRetries(context, effect, false);
    if (attempt.ok) return 0;
    if (!isMediaClass(attempt.errorClass)) return yield* refuse(work, attempt);
  }
  const left = yield* writeMain(work, halves[0], false);
  const right = yield* writeMain(work, halves[1], false);
  return left === 0 ? right : left;
}

function* writeMainUnit(work: WriteWork, segment: Segment): Procedure<number> {
  const { context, scratch } = work;
  const mainUnit = Math.floor(segment.offsetBytes / context.shape.unitBytes);
  if (!context.doubtfulUnits.has(mainUnit)) {
    const effect = writeEffect(segment, MAIN, segment.offsetBytes);
    let attempt = yield* transferWithRetries(context, effect, true);
    if (!attempt.ok && isMediaClass(attempt.errorClass)) {
      const { errorClass, errno } = attempt;
      if (!(yield* mayBlameSector(context, scratch, 'write', errorClass, errno))) return ERRNO.EIO;
      attempt = yield* confirmFailure(context, effect, attempt);
    }
    if (attempt.ok) return 0;
    if (!isMediaClass(attempt.errorClass)) return yield* refuse(work, attempt);
  }
  return yield* relocateFromMain(work, segment, mainUnit);
}

function* relocateFromMain(work: WriteWork, segment: Segment, mainUnit: number): Procedure<number> {
  const { context, scratch, changes } = work;
  // Before a bad disk is read again and again for nothing: it may take minutes for each unit.
  if (isBeyondLimit(context, mainUnit)) return ERRNO.ENOSPC;
  const missing = (existingMask(context, mainUnit) & ~coveredMask(context, segment)) >>> 0;
  const unitOffset = mainUnit * context.shape.unitBytes;
  let salvage = yield* salvageBlocks(context, MAIN, unitOffset, missing, scratch.unitOffset);
  if (salvage.abandoned) return ERRNO.EIO;
  if (salvage.lostMask !== 0 && salvage.failure !== undefined) {
    const { errorClass, errno } = salvage.failure;
    const provesAlive = (): Procedure<boolean> => mayBlameSector(context, scratch, 'read', errorClass, errno);
    if (!(yield* provesAlive())) return ERRNO.EIO;
    const place = { target: MAIN, offsetBytes: unitOffset, bufferOffset: scratch.unitOffset };
    salvage = yield* confirmLoss(context, place, salvage, provesAlive);
    if (salvage.abandoned) return ERRNO.EIO;
  }
  const lostMask = yield* fillFromReplacement(context, mainUnit, MAIN, salvage.lostMask, scratch.unitOffset);
  copyToUnit(context, scratch, segment);
  const unit = { mainUnit, bufferOffset: scratch.unitOffset, lostMask, reason: DescriptorReason.writeError };
  const errno = yield* placeOnSpare(context, scratch, unit, changes);
  if (errno !== 0) return errno;
  count(context.counters, Counter.remapsOfWrites);
  count(context.counters, Counter.blocksLost, bitCount(lostMask));
  if (lostMask !== 0) context.report({ kind: 'lost', mainUnit, lostMask });
  return 0;
}

/** A unit that lives on a spare: writing gives lost blocks new contents; a failing place is left for another. */
function* writeSpare(work: WriteWork, segment: Segment): Procedure<number> {
  const { context } = work;
  const { spareUnit } = segment;
  const { unitBytes } = context.shape;
  const mainUnit = Math.floor(segment.offsetBytes / unitBytes);
  if (context.doubtfulUnits.has(mainUnit)) return yield* moveFromSpare(work, segment, mainUnit);
  const target = context.shape.targetOf(spareUnit);
  const offset = context.shape.spareOffsetBytes(spareUnit) + (segment.offsetBytes % unitBytes);
  const flushFailuresBefore = context.flushFailuresOf(target);
  const effect = writeEffect(segment, target, offset);
  let attempt = yield* transferWithRetries(context, effect, true);
  if (!attempt.ok && attempt.errorClass === 'mediaOrDevice') {
    // A spare that has vanished must not have its units moved to the others.
    if (!(yield* spareOfUnitAnswers(context, work.scratch, spareUnit))) return ERRNO.EIO;
    attempt = yield* confirmFailure(context, effect, attempt);
  }
  if (attempt.ok) {
    noteRegained(work, segment, mainUnit, flushFailuresBefore);
    return 0;
  }
  if (!isMediaClass(attempt.errorClass)) return ERRNO.EIO;
  return yield* moveFromSpare(work, segment, mainUnit);
}

function* moveFromSpare(work: WriteWork, segment: Segment, mainUnit: number): Procedure<number> {
  const { context, scratch, changes } = work;
  const { spareUnit } = segment;
  const knownLost = context.table.lostMask(spareUnit);
  const missing = (existingMask(context, mainUnit) & ~coveredMask(context, segment)) >>> 0;
  const target = context.shape.targetOf(spareUnit);
  const offset = context.shape.spareOffsetBytes(spareUnit);
  const wanted = (missing & ~knownLost) >>> 0;
  let salvage = yield* salvageBlocks(context, target, offset, wanted, scratch.unitOffset);
  if (salvage.abandoned) return ERRNO.EIO;
  if (salvage.lostMask !== 0) {
    const provesAlive = (): Procedure<boolean> => spareOfUnitAnswers(context, scratch, spareUnit);
    if (!(yield* provesAlive())) return ERRNO.EIO;
    const place = { target, offsetBytes: offset, bufferOffset: scratch.unitOffset };
    salvage = yield* confirmLoss(context, place, salvage, provesAlive);
    if (salvage.abandoned) return ERRNO.EIO;
  }
  const newlyLost = yield* fillFromReplacement(
    context,
    mainUnit,
    target,
    salvage.lostMask,
    scratch.unitOffset,
  );
  copyToUnit(context, scratch, segment);
  const lostMask = ((knownLost & missing) | newlyLost) >>> 0;
  const unit = { mainUnit, bufferOffset: scratch.unitOffset, lostMask, reason: DescriptorReason.spareError };
  const errno = yield* placeOnSpare(context, scratch, unit, changes);
  if (errno !== 0) return errno;
  changes.afterwards.push(retirementOf(spareUnit));
  count(context.counters, Counter.remapsOfSpares);
  count(context.counters, Counter.blocksLost, bitCount(newlyLost));
  if (newlyLost !== 0) context.report({ kind: 'lost', mainUnit, lostMask: newlyLost });
  tellRegained(context, mainUnit, knownLost & ~missing);
  return 0;
}

function noteRegained(
  work: WriteWork,
  segment: Segment,
  mainUnit: number,
  flushFailuresBefore: number,
): void {
  const { context, changes } = work;
  const { table } = context;
  const { spareUnit } = segment;
  const knownLost = table.lostMask(spareUnit);
  const regained = (knownLost & coveredMask(context, segment)) >>> 0;
  if (regained === 0) return;
  changes.updates.push({
    spareUnit,
    state: DescriptorState.mapped,
    mainUnit,
    lostMask: (knownLost & ~regained) >>> 0,
    moveCount: table.moveCount(spareUnit),
    reason: table.reason(spareUnit),
    flushFailuresBefore,
  });
  tellRegained(context, mainUnit, regained);
}

/** Lost blocks that have contents again. */
function tellRegained(context: ColdContext, mainUnit: number, regained: number): void {
  if (regained === 0) return;
  count(context.counters, Counter.blocksRegained, bitCount(regained));
  context.report({ kind: 'regained', mainUnit, lostMask: regained >>> 0 });
}

function writeEffect(segment: Segment, target: number, offsetBytes: number): TransferEffect {
  const { lengthBytes, memoryOffset } = segment;
  return { kind: 'write', target, offsetBytes, lengthBytes, memoryOffset };
}

/** Not a matter of sectors: the device is dead, or full, or refuses the request. Never relocated. */
function* refuse(work: WriteWork, failure: FailedAttempt): Procedure<number> {
  const { context, scratch } = work;
  if (failure.errorClass === 'device')
    yield* mayBlameSector(context, scratch, 'write', 'device', failure.errno);
  if (failure.errorClass !== 'space') return ERRNO.EIO;
  // A block device that has vanished has no space either: its size is 0.
  yield* checkMain(context, scratch, 'no space for a write, and reads fail everywhere');
  return context.breaker.isOpen ? ERRNO.EIO : ERRNO.ENOSPC;
}

function copyToUnit(context: ColdContext, scratch: Scratch, segment: Segment): void {
  const to = scratch.unitOffset + (segment.offsetBytes % context.shape.unitBytes);
  context.memory.copyWithin(to, segment.memoryOffset, segment.memoryOffset + segment.lengthBytes);
}
