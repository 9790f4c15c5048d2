import { ERRNO } from '../base/errno.js';
import { DescriptorReason, DescriptorState } from '../format/descriptor-page.js';
import type { ColdContext, PendingChanges } from './cold-context.js';
import { Counter, count } from './counters.js';
import type { Procedure } from './effect.js';
import { perform } from './effect.js';
import { MAX_SPARE_ATTEMPTS } from './limits.js';
import { RegionFlag } from './region-filter.js';
import { isMediaClass, transferWithRetries } from './retry.js';

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
 * that fail are retired and others tried. Answers 0 or an errno: ENOSPC when no spare is left.
 */
export function* placeOnSpare(
  context: ColdContext,
  unit: UnitContents,
  changes: PendingChanges,
): Procedure<number> {
  for (let attempts = 0; attempts < MAX_SPARE_ATTEMPTS; attempts += 1) {
    const spareUnit = context.allocator.allocate();
    if (spareUnit === -1) break;
    const errno = yield* writeSpareUnit(context, spareUnit, unit, changes);
    if (errno === 0) {
      changes.first.push(mappingOf(context, spareUnit, unit));
      return 0;
    }
  }
  count(context.counters, Counter.writesWithoutSpare);
  context.report({ kind: 'spareExhausted', mainUnit: unit.mainUnit });
  return ERRNO.ENOSPC;
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

function* writeSpareUnit(
  context: ColdContext,
  spareUnit: number,
  unit: UnitContents,
  changes: PendingChanges,
): Procedure<number> {
  const { shape } = context;
  const attempt = yield* transferWithRetries(
    context,
    {
      kind: 'write',
      target: shape.targetOf(spareUnit),
      offsetBytes: shape.spareOffsetBytes(spareUnit),
      lengthBytes: shape.unitLengthBytes(unit.mainUnit),
      memoryOffset: unit.bufferOffset,
    },
    true,
  );
  if (attempt.ok) return 0;
  if (isMediaClass(attempt.errorClass)) {
    changes.first.push(retirementOf(spareUnit));
    context.report({ kind: 'spareUnitRetired', spareUnit, errno: attempt.errno });
  } else {
    giveUpSpare(context, spareUnit, attempt.errno);
  }
  return attempt.errno;
}

/** The spare itself is failing: nothing more is placed on it; what it holds stays mapped. */
function giveUpSpare(context: ColdContext, spareUnit: number, errno: number): void {
  const spareIndex = context.shape.spareIndexOf(spareUnit);
  const spare = context.shape.spares[spareIndex]!;
  context.allocator.takeRange(spare.firstUnit, spare.unitCount);
  context.report({ kind: 'spareFailed', spareIndex, errno });
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
