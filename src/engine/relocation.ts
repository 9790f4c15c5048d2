import { ERRNO } from '../base/errno.js';
import { DescriptorReason, DescriptorState } from '../format/descriptor-page.js';
import type { ColdContext, PendingChanges, Scratch } from './cold-context.js';
import { Counter, count } from './counters.js';
import type { Procedure } from './effect.js';
import { perform } from './effect.js';
import { MAX_SPARE_ATTEMPTS } from './limits.js';
import { withFirst } from './placement.js';
import { RegionFlag } from './region-filter.js';
import type { Attempt } from './retry.js';
import { confirmFailure, isMediaClass, transferWithRetries } from './retry.js';
import { spareAnswers, spareOfUnitAnswers } from './spare-probe.js';

/** A unit put together in memory, to be given a place on a spare. */
export interface UnitContents {
  readonly mainUnit: number;
  readonly bufferOffset: number;
  /** Blocks that have no contents; the buffer may hold anything there. */
  readonly lostMask: number;
  readonly reason: number;
}

/**
 * Writes a unit to a free spare unit and notes the descriptor change; nothing is durable or visible yet. Spare units
 * that fail are retired; a spare that fails as a whole is suspended, and the next one tried. Where all are suspended,
 * one that answers by now is tried all the same: it may have been away for a moment only (P2). `preferred` is tried before
 * those that the policy says. Answers 0 or an errno: ENOSPC when no spare has room, or as many units live on spares as may;
 * EIO when one has but can't be used now.
 */
export function* placeOnSpare(
  context: ColdContext,
  scratch: Scratch,
  unit: UnitContents,
  changes: PendingChanges,
  preferred?: number,
): Procedure<number> {
  const { suspension, placement } = context;
  if (isBeyondLimit(context, unit.mainUnit)) return ERRNO.ENOSPC;
  const suspended: number[] = [];
  let errno: number = ERRNO.ENOSPC;
  for (const spareIndex of withFirst(placement.spareOrder(unit.mainUnit), preferred)) {
    if (suspension.isLeaving(spareIndex)) continue;
    const nowMs = yield* perform({ kind: 'now' });
    if (!suspension.isSuspended(spareIndex, nowMs)) {
      const result: PlacingResult = yield* placeOn(context, scratch, spareIndex, unit, changes);
      if (result === 'placed') return 0;
      if (result === 'silent' || result === 'refusing') suspension.suspend(spareIndex, nowMs, result);
      else errno = worse(errno, result);
    }
    if (suspension.isSuspended(spareIndex, nowMs)) suspended.push(spareIndex);
  }
  for (const spareIndex of suspended) {
    if (suspension.mayBeBack(spareIndex) && (yield* spareAnswers(context, scratch, spareIndex))) {
      const result: PlacingResult = yield* placeOn(context, scratch, spareIndex, unit, changes);
      if (result === 'placed') return 0;
      errno = worse(errno, result);
    } else errno = ERRNO.EIO;
  }
  count(context.counters, Counter.writesWithoutSpare);
  if (errno === ERRNO.ENOSPC) context.report({ kind: 'spareExhausted', mainUnit: unit.mainUnit });
  return errno;
}

/** As many units live on spares as may: tells of it. A unit that lives on a spare already makes the number no larger. */
export function isBeyondLimit(context: ColdContext, mainUnit: number): boolean {
  const { policy, table } = context;
  if (policy.hasRoom || table.find(mainUnit) !== -1) return false;
  count(context.counters, Counter.writesWithoutSpare);
  context.report({ kind: 'remapLimitReached', mainUnit, maxMovedUnits: policy.maxMovedUnits });
  return true;
}

/**
 * How placing a unit on one spare went. `silent`: it fails as a whole. `refusing`: it answers, but refuses one unit
 * after another. A number: the errno with which this one unit can't be placed.
 */
type PlacingResult = 'placed' | 'full' | 'silent' | 'refusing' | number;

function worse(errno: number, result: Exclude<PlacingResult, 'placed'>): number {
  if (result === 'full') return errno;
  return typeof result === 'number' ? result : ERRNO.EIO;
}

/** A unit may be placed there: nobody owns the place, it is one for data, and its spare is not being emptied. */
export function takesUnitAt({ allocator, shape, suspension }: ColdContext, spareUnit: number): boolean {
  return !allocator.isTaken(spareUnit) && !suspension.isLeaving(shape.spareIndexOf(spareUnit));
}

/** As `placeOnSpare`, to this very place, which `takesUnitAt` must have found good just now. EIO also where the place turns out bad: it is retired then. */
export function* placeAt(
  context: ColdContext,
  scratch: Scratch,
  spareUnit: number,
  unit: UnitContents,
  changes: PendingChanges,
): Procedure<number> {
  if (isBeyondLimit(context, unit.mainUnit)) return ERRNO.ENOSPC;
  context.allocator.take(spareUnit);
  const flushFailuresBefore = context.flushFailuresOf(context.shape.targetOf(spareUnit));
  const attempt = yield* writeSpareUnit(context, scratch, spareUnit, unit, true);
  if (attempt.ok) {
    changes.first.push({ ...mappingOf(context, spareUnit, unit), flushFailuresBefore });
    return 0;
  }
  if (isMediaClass(attempt.errorClass)) retireBadUnits(context, [spareUnit], changes);
  else context.allocator.release(spareUnit);
  return ERRNO.EIO;
}

/**
 * Makes the changes durable and visible, in their order. Answers 0 or an errno; then nothing of `first` counts as
 * done, and the units concerned are doubtful.
 */
export function* commitChanges(context: ColdContext, changes: PendingChanges): Procedure<number> {
  const wanted = [...changes.first, ...changes.updates];
  if (wanted.length > 0) {
    const result = yield* perform({ kind: 'commit', changes: wanted });
    if (result < 0) return rememberDoubt(context, changes, -result);
    for (const change of changes.first) noteCommitted(context, change);
  }
  // The new places are durable, so a failure to retire the old ones loses nothing: the higher move count wins.
  if (changes.afterwards.length > 0) yield* perform({ kind: 'commit', changes: changes.afterwards });
  return 0;
}

/** The descriptor that retires a spare unit. */
export function retirementOf(spareUnit: number): PendingChanges['first'][number] {
  const reason = DescriptorReason.spareError;
  return { spareUnit, state: DescriptorState.retired, mainUnit: 0, lostMask: 0, moveCount: 0, reason };
}

/** The descriptor of a spare unit in which nothing lives any more. */
export function releaseOf(spareUnit: number): PendingChanges['first'][number] {
  const reason = DescriptorReason.none;
  return { spareUnit, state: DescriptorState.free, mainUnit: 0, lostMask: 0, moveCount: 0, reason };
}

function* placeOn(
  context: ColdContext,
  scratch: Scratch,
  spareIndex: number,
  unit: UnitContents,
  changes: PendingChanges,
): Procedure<PlacingResult> {
  const bad: number[] = [];
  while (bad.length < MAX_SPARE_ATTEMPTS) {
    const spareUnit = context.placement.allocateOn(spareIndex, unit.mainUnit);
    if (spareUnit === -1) break;
    const flushFailuresBefore = context.flushFailuresOf(context.shape.targetOf(spareUnit));
    const attempt: Attempt = yield* writeSpareUnit(context, scratch, spareUnit, unit, bad.length === 0);
    if (attempt.ok) {
      context.suspension.noteWorking(spareIndex);
      context.placement.notePlaced(spareUnit);
      retireBadUnits(context, bad, changes);
      changes.first.push({ ...mappingOf(context, spareUnit, unit), flushFailuresBefore });
      return 'placed';
    }
    if (!isMediaClass(attempt.errorClass)) {
      for (const taken of [...bad, spareUnit]) context.allocator.release(taken);
      if (attempt.errorClass === 'protocol') return attempt.errno;
      noteRefusal(context, spareIndex, attempt.errno);
      return 'silent';
    }
    bad.push(spareUnit);
  }
  retireBadUnits(context, bad, changes);
  if (bad.length < MAX_SPARE_ATTEMPTS) return 'full';
  noteRefusal(context, spareIndex, ERRNO.EIO);
  return 'refusing';
}

function noteRefusal({ suspension, report }: ColdContext, spareIndex: number, errno: number): void {
  suspension.noteRefusal(spareIndex, errno);
  report({ kind: 'spareFailed', spareIndex, errno });
}

/** A medium error is one only where the spare answers elsewhere; else the class is `device`. */
function* writeSpareUnit(
  context: ColdContext,
  scratch: Scratch,
  spareUnit: number,
  unit: UnitContents,
  isFirst: boolean,
): Procedure<Attempt> {
  const { shape } = context;
  const effect = {
    kind: 'write',
    target: shape.targetOf(spareUnit),
    offsetBytes: shape.spareOffsetBytes(spareUnit),
    lengthBytes: shape.unitLengthBytes(unit.mainUnit),
    memoryOffset: unit.bufferOffset,
  } as const;
  const attempt = yield* transferWithRetries(context, effect, true);
  if (attempt.ok || !isMediaClass(attempt.errorClass)) return attempt;
  if (attempt.errorClass === 'media' && !isFirst) return attempt;
  if (!(yield* spareOfUnitAnswers(context, scratch, spareUnit))) return { ...attempt, errorClass: 'device' };
  return yield* confirmFailure(context, effect, attempt);
}

function retireBadUnits(context: ColdContext, bad: readonly number[], changes: PendingChanges): void {
  for (const spareUnit of bad) {
    changes.first.push(retirementOf(spareUnit));
    context.report({ kind: 'spareUnitRetired', spareUnit });
  }
}

function mappingOf(
  context: ColdContext,
  spareUnit: number,
  unit: UnitContents,
): PendingChanges['first'][number] {
  const previous = context.table.find(unit.mainUnit);
  const known = previous === -1 ? -1 : context.table.moveCount(previous);
  const doubted = context.doubtfulUnits.get(unit.mainUnit) ?? -1;
  return {
    spareUnit,
    state: DescriptorState.mapped,
    mainUnit: unit.mainUnit,
    lostMask: unit.lostMask,
    moveCount: (doubted === -1 ? known + 1 : doubted + 1) & 0xff,
    reason: unit.reason,
  };
}

function rememberDoubt(context: ColdContext, changes: PendingChanges, errno: number): number {
  for (const change of changes.first) {
    if (change.state !== DescriptorState.mapped) continue;
    context.doubtfulUnits.set(change.mainUnit, change.moveCount);
    context.doubtfulPlaces.add(change.spareUnit);
    const { unitBytes } = context.shape;
    context.filter.set(change.mainUnit * unitBytes, 1, RegionFlag.doubtful);
  }
  context.report({ kind: 'commitFailed', errno });
  return ERRNO.EIO;
}

function noteCommitted(context: ColdContext, change: PendingChanges['first'][number]): void {
  if (change.state !== DescriptorState.mapped) {
    count(context.counters, Counter.spareUnitsRetired);
    return;
  }
  context.doubtfulUnits.delete(change.mainUnit);
  const { mainUnit, spareUnit, lostMask, reason } = change;
  context.report({ kind: 'remapped', mainUnit, spareUnit, lostMask, reason });
}
