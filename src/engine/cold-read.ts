import { ERRNO } from '../base/errno.js';
import { DescriptorReason } from '../format/descriptor-page.js';
import { bitCount } from './bit-count.js';
import type { ColdContext, PendingChanges, Scratch } from './cold-context.js';
import { confirmLoss } from './confirm-loss.js';
import { Counter, count } from './counters.js';
import type { Procedure } from './effect.js';
import { MAIN, perform } from './effect.js';
import { mayBlameSector } from './probe.js';
import { fillFromReplacement, readReplacement } from './read-replacement.js';
import { commitChanges, placeOnSpare, retirementOf } from './relocation.js';
import type { Attempt, FailedAttempt } from './retry.js';
import { isMediaClass, transferWithRetries } from './retry.js';
import type { Salvage } from './salvage.js';
import { salvageBlocks } from './salvage.js';
import type { ByteRange, Segment } from './segments.js';
import { coveredMask, existingMask, halve, segmentsOf } from './segments.js';
import { spareOfUnitAnswers } from './spare-probe.js';

/**
 * A read that the hot path could not do: something in the range failed or is lost. Every block that can be read is
 * read; units on a bad medium move to a spare, with the blocks that are gone remembered as lost (P3, P4). The caller
 * holds the lock of the range. Answers 0, or EIO if any block that was asked for has no contents.
 */
export function* readWithSalvage(
  context: ColdContext,
  scratch: Scratch,
  range: ByteRange,
): Procedure<number> {
  const work: ReadWork = { context, scratch, changes: { first: [], updates: [], afterwards: [] } };
  const segments = segmentsOf(context, range);
  let errno = 0;
  for (const segment of segments) {
    const onMain = segment.spareUnit === -1;
    const result = yield* onMain ? readMain(work, segment, segments.length === 1) : readSpare(work, segment);
    errno = errno === 0 ? result : errno;
  }
  // A failed commit leaves main and spares as they were; what was read is right nevertheless.
  yield* commitChanges(context, work.changes);
  return errno;
}

interface ReadWork {
  readonly context: ColdContext;
  readonly scratch: Scratch;
  readonly changes: PendingChanges;
}

/** Splits down to single units; `knownToFail` saves repeating a read that the drive has just spent seconds on. */
function* readMain(work: ReadWork, segment: Segment, knownToFail: boolean): Procedure<number> {
  const { context } = work;
  if (context.breaker.stopsReads) return yield* readElsewhere(context, segment);
  const halves = halve(context, segment);
  if (halves === undefined) return yield* readMainUnit(work, segment);
  if (!knownToFail) {
    const attempt = yield* readSegment(context, segment, MAIN, segment.offsetBytes);
    if (attempt.ok) return 0;
    if (!isMediaClass(attempt.errorClass)) return yield* refuse(work, segment, attempt);
  }
  const left = yield* readMain(work, halves[0], false);
  const right = yield* readMain(work, halves[1], false);
  return left === 0 ? right : left;
}

function* readMainUnit(work: ReadWork, segment: Segment): Procedure<number> {
  const { context, scratch } = work;
  const mainUnit = Math.floor(segment.offsetBytes / context.shape.unitBytes);
  const attempt = yield* readSegment(context, segment, MAIN, segment.offsetBytes);
  if (attempt.ok) return 0;
  if (!isMediaClass(attempt.errorClass)) return yield* refuse(work, segment, attempt);

  const unitOffset = mainUnit * context.shape.unitBytes;
  const wanted = existingMask(context, mainUnit);
  let salvage = yield* salvageBlocks(context, MAIN, unitOffset, wanted, scratch.unitOffset);
  if (salvage.abandoned) return yield* refuse(work, segment, salvage.failure);
  if (salvage.lostMask !== 0) {
    const failed = salvage;
    const provesAlive = (): Procedure<boolean> => sectorIsToBlame(work, failed);
    if (!(yield* provesAlive())) return yield* readElsewhere(context, segment);
    const place = { target: MAIN, offsetBytes: unitOffset, bufferOffset: scratch.unitOffset };
    salvage = yield* confirmLoss(context, place, salvage, provesAlive);
    if (salvage.abandoned) return yield* refuse(work, segment, salvage.failure);
  }
  const lostMask = yield* fillFromReplacement(context, mainUnit, MAIN, salvage.lostMask, scratch.unitOffset);
  copyFromUnit(context, scratch, segment);
  const mediumIsBad = salvage.mediumIsBad || attempt.errorClass === 'media';
  const isDue = salvage.lostMask !== 0 || (mediumIsBad && (yield* isDueToMove(context, mainUnit)));
  if (!isDue) return noteTransient(context, mainUnit, attempt);
  yield* moveReadUnit(work, mainUnit, lostMask);
  return answerForLost(context, segment, lostMask);
}

/** A unit on a bad medium that gave all its blocks in the end. */
function* isDueToMove({ policy }: ColdContext, mainUnit: number): Procedure<boolean> {
  return policy.noteRecoveredRead(mainUnit, yield* perform({ kind: 'now' }));
}

function* moveReadUnit(work: ReadWork, mainUnit: number, lostMask: number): Procedure<void> {
  const { context, scratch, changes } = work;
  const reason = lostMask === 0 ? DescriptorReason.recoveredRead : DescriptorReason.readError;
  const errno = yield* placeOnSpare(
    context,
    scratch,
    { mainUnit, bufferOffset: scratch.unitOffset, lostMask, reason },
    changes,
  );
  if (errno !== 0) return;
  count(context.counters, Counter.remapsOfReads);
  count(context.counters, Counter.blocksLost, bitCount(lostMask));
  if (lostMask !== 0) context.report({ kind: 'lost', mainUnit, lostMask });
}

/** A unit that lives on a spare already: lost blocks are known, the others are read, a failing place is left. */
function* readSpare(work: ReadWork, segment: Segment): Procedure<number> {
  const { context } = work;
  const knownLost = context.table.lostMask(segment.spareUnit);
  if (knownLost !== 0 && (knownLost & coveredMask(context, segment)) !== 0) {
    return yield* readAroundLost(work, segment, knownLost, false);
  }
  const within = segment.offsetBytes % context.shape.unitBytes;
  const target = context.shape.targetOf(segment.spareUnit);
  const offset = context.shape.spareOffsetBytes(segment.spareUnit) + within;
  const attempt = yield* readSegment(context, segment, target, offset);
  if (attempt.ok) return 0;
  return yield* readAroundLost(work, segment, knownLost, attempt.errorClass === 'media');
}

/** Reads the whole unit block by block except what is lost; moves it if its spare unit turns out, or is known, to be bad. */
function* readAroundLost(
  work: ReadWork,
  segment: Segment,
  knownLost: number,
  isKnownBad: boolean,
): Procedure<number> {
  const { context, scratch } = work;
  const mainUnit = Math.floor(segment.offsetBytes / context.shape.unitBytes);
  const hit = knownLost & coveredMask(context, segment);
  if (hit !== 0 && !context.lostReadsAsZero) return ERRNO.EIO;
  const { spareUnit } = segment;
  const target = context.shape.targetOf(spareUnit);
  const wanted = (existingMask(context, mainUnit) & ~knownLost) >>> 0;
  const offset = context.shape.spareOffsetBytes(spareUnit);
  let salvage = yield* salvageBlocks(context, target, offset, wanted, scratch.unitOffset);
  if (salvage.abandoned) return yield* readElsewhere(context, segment);
  if (salvage.lostMask !== 0) {
    const provesAlive = (): Procedure<boolean> => spareOfUnitAnswers(context, scratch, spareUnit);
    if (!(yield* provesAlive())) return yield* readElsewhere(context, segment);
    const place = { target, offsetBytes: offset, bufferOffset: scratch.unitOffset };
    salvage = yield* confirmLoss(context, place, salvage, provesAlive);
    if (salvage.abandoned) return yield* readElsewhere(context, segment);
  }
  const missing = yield* fillFromReplacement(context, mainUnit, target, salvage.lostMask, scratch.unitOffset);
  copyFromUnit(context, scratch, segment);
  const lostMask = (knownLost | missing) >>> 0;
  if (isKnownBad || salvage.mediumIsBad || salvage.lostMask !== 0) {
    yield* moveSpareUnit(work, mainUnit, spareUnit, lostMask, missing);
  }
  return answerForLost(context, segment, lostMask);
}

function* moveSpareUnit(
  work: ReadWork,
  mainUnit: number,
  spareUnit: number,
  lostMask: number,
  newlyLost: number,
): Procedure<void> {
  const { context, scratch, changes } = work;
  const unit = { mainUnit, bufferOffset: scratch.unitOffset, lostMask, reason: DescriptorReason.spareError };
  if ((yield* placeOnSpare(context, scratch, unit, changes)) !== 0) return;
  changes.afterwards.push(retirementOf(spareUnit));
  count(context.counters, Counter.remapsOfSpares);
  count(context.counters, Counter.blocksLost, bitCount(newlyLost));
  if (newlyLost !== 0) context.report({ kind: 'lost', mainUnit, lostMask: newlyLost });
}

function* readSegment(
  context: ColdContext,
  segment: Segment,
  target: number,
  offsetBytes: number,
): Procedure<Attempt> {
  const { lengthBytes, memoryOffset } = segment;
  return yield* transferWithRetries(
    context,
    { kind: 'read', target, offsetBytes, lengthBytes, memoryOffset },
    false,
  );
}

/** An error that says nothing about sectors: the device is dead, or the request is refused. */
function* refuse(work: ReadWork, segment: Segment, failure: Salvage['failure']): Procedure<number> {
  if (failure?.errorClass === 'device') {
    yield* mayBlameSector(work.context, work.scratch, 'read', 'device', failure.errno);
  }
  return yield* readElsewhere(work.context, segment);
}

/** Its place does not answer: from the replacement, if there is one that holds it. */
function* readElsewhere(context: ColdContext, segment: Segment): Procedure<number> {
  const { spareUnit } = segment;
  const isLost =
    spareUnit !== -1 && (context.table.lostMask(spareUnit) & coveredMask(context, segment)) !== 0;
  return !isLost && (yield* readReplacement(context, segment)) ? 0 : ERRNO.EIO;
}

function* sectorIsToBlame(work: ReadWork, salvage: Salvage): Procedure<boolean> {
  const failure = salvage.failure ?? { errno: ERRNO.EIO, errorClass: 'mediaOrDevice' as const };
  return yield* mayBlameSector(work.context, work.scratch, 'read', failure.errorClass, failure.errno);
}

function copyFromUnit(context: ColdContext, scratch: Scratch, segment: Segment): void {
  const from = scratch.unitOffset + (segment.offsetBytes % context.shape.unitBytes);
  context.memory.copyWithin(segment.memoryOffset, from, from + segment.lengthBytes);
}

/** EIO if a lost block was asked for; or, by option, zeroes in its place. */
function answerForLost(context: ColdContext, segment: Segment, lostMask: number): number {
  const hit = (lostMask & coveredMask(context, segment)) >>> 0;
  if (hit === 0) return 0;
  if (!context.lostReadsAsZero) return ERRNO.EIO;
  const { logicalBlockBytes, unitBytes } = context.shape;
  const firstBlock = (segment.offsetBytes % unitBytes) / logicalBlockBytes;
  for (let block = firstBlock; block < 32; block += 1) {
    if (((hit >>> block) & 1) === 0) continue;
    const at = segment.memoryOffset + (block - firstBlock) * logicalBlockBytes;
    context.memory.fill(0, at, at + logicalBlockBytes);
  }
  count(context.counters, Counter.lostBlocksZeroFilled, bitCount(hit));
  return 0;
}

function noteTransient(context: ColdContext, mainUnit: number, { errno }: FailedAttempt): number {
  count(context.counters, Counter.transientErrors);
  context.report({ kind: 'transientError', mainUnit, errno });
  return 0;
}
