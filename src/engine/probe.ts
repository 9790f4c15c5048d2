import { DescriptorReason } from '../format/descriptor-page.js';
import type { ColdContext, Scratch } from './cold-context.js';
import { Counter, count } from './counters.js';
import type { Procedure } from './effect.js';
import { MAIN, perform } from './effect.js';
import type { ErrorClass } from './error-policy.js';
import { commitChanges, placeOnSpare } from './relocation.js';
import { salvageBlocks } from './salvage.js';
import { existingMask } from './segments.js';

/**
 * May this error be blamed on the sector? True: go on and relocate. False: the device is dead, the breaker is open.
 * For `write`, the scratch must hold nothing yet.
 */
export function* mayBlameSector(
  context: ColdContext,
  scratch: Scratch,
  operation: 'read' | 'write',
  errorClass: ErrorClass,
  errno: number,
): Procedure<boolean> {
  const { breaker } = context;
  if (breaker.isOpen) return false;
  const nowMs = yield* perform({ kind: 'now' });
  if (errorClass === 'device') {
    tripBreaker(context, `${operation} failed with errno ${errno}`, nowMs);
    return false;
  }
  if (!breaker.needsProof(errorClass === 'mediaOrDevice', operation)) return true;
  const outcome = yield* probeMain(context, scratch, operation);
  if (outcome === 'works') {
    breaker.noteSuccess(operation);
    return !breaker.isOpen;
  }
  // Most places are locked, as when nearly all of a small device is being zeroed: a read has to do for now.
  if (outcome === 'untried' && operation === 'write') {
    if ((yield* probeMain(context, scratch, 'read')) === 'works') return true;
  }
  tripBreaker(context, `${operation}s fail everywhere on the device, last with errno ${errno}`, nowMs);
  return false;
}

/** Something failed in a way that could be the end of the device: opens the breaker if it answers nowhere. */
export function* checkMain(context: ColdContext, scratch: Scratch, reason: string): Procedure<void> {
  if (context.breaker.isOpen) return;
  if ((yield* probeMain(context, scratch, 'read')) !== 'fails') return;
  tripBreaker(context, reason, yield* perform({ kind: 'now' }));
}

/** With the breaker open: is the device back? Closes the breaker if it is. */
export function* tryDeviceAgain(context: ColdContext, scratch: Scratch): Procedure<void> {
  if ((yield* probeMain(context, scratch, 'write')) !== 'works') return;
  context.breaker.close();
  context.report({ kind: 'breakerClosed' });
}

/** `untried`: of a place or of most places, that somebody else is at work there, so that nothing is known. */
type ProbeOutcome = 'works' | 'fails' | 'untried';

/**
 * Reads (and for `write` rewrites, unchanged) one healthy block in up to eight places, until one works. Where most places
 * are locked, the few that are left may be those that are bad, and say nothing of the others.
 */
function* probeMain(
  context: ColdContext,
  scratch: Scratch,
  operation: 'read' | 'write',
): Procedure<ProbeOutcome> {
  count(context.counters, Counter.deviceProbes);
  // By unit: on a small device several places may be one.
  const failed = new Set<number>();
  const untried = new Set<number>();
  for (let place = 0; place < PROBE_PLACES; place += 1) {
    const unit = healthyUnitAt(context, place);
    if (unit === -1) continue;
    const here: ProbeOutcome = yield* operation === 'read'
      ? readBlock(context, scratch, unit)
      : rewriteBlock(context, scratch, unit);
    if (here === 'works') return here;
    (here === 'fails' ? failed : untried).add(unit);
  }
  // The few that could be tried may just be bad themselves.
  return failed.size > untried.size ? 'fails' : 'untried';
}

/**
 * The first unit of a place that lives on the main device; -1 if there is none within reach. Places are not at equal
 * distances: bad sectors may be, as when one of a drive's surfaces fails.
 */
function healthyUnitAt(context: ColdContext, place: number): number {
  const { mainSizeBytes, unitBytes } = context.shape;
  const unitCount = Math.ceil(mainSizeBytes / unitBytes);
  const start = Math.floor(((place + 0.5) * mainSizeBytes) / PROBE_PLACES / unitBytes);
  const first = Math.min(start + place, unitCount - 1);
  const end = Math.min(first + PROBE_REACH_UNITS, unitCount);
  for (let unit = first; unit < end; unit += 1) {
    if (context.table.find(unit) === -1 && !context.doubtfulUnits.has(unit)) return unit;
  }
  return -1;
}

function* readBlock(context: ColdContext, scratch: Scratch, unit: number): Procedure<ProbeOutcome> {
  const result = yield* perform({
    kind: 'read',
    target: MAIN,
    offsetBytes: unit * context.shape.unitBytes,
    lengthBytes: context.shape.logicalBlockBytes,
    memoryOffset: scratch.probeOffset,
  });
  return result >= 0 ? 'works' : 'fails';
}

/** Locked, so that no application write comes in between; skipped where somebody is at work. */
function* rewriteBlock(context: ColdContext, scratch: Scratch, unit: number): Procedure<ProbeOutcome> {
  const lockId = yield* perform({ kind: 'tryLock', firstUnit: unit, lastUnit: unit });
  if (lockId === 0) return 'untried';
  const readable = yield* readBlock(context, scratch, unit);
  const worked = readable === 'works' && (yield* writeBlock(context, scratch, unit));
  if (readable === 'works' && !worked) yield* saveProbedUnit(context, scratch, unit);
  yield* perform({ kind: 'unlock', lockId });
  return worked ? 'works' : 'fails';
}

function* writeBlock(context: ColdContext, scratch: Scratch, unit: number): Procedure<boolean> {
  const result = yield* perform({
    kind: 'write',
    target: MAIN,
    offsetBytes: unit * context.shape.unitBytes,
    lengthBytes: context.shape.logicalBlockBytes,
    memoryOffset: scratch.probeOffset,
  });
  return result >= 0;
}

/**
 * The probe's own write failed, and may have spoilt a block that was good: if it can't be read any more while the rest
 * of its unit can, the unit goes to a spare with the block as it was read before.
 */
function* saveProbedUnit(context: ColdContext, scratch: Scratch, mainUnit: number): Procedure<void> {
  const blockBytes = context.shape.logicalBlockBytes;
  const block = context.memory.slice(scratch.probeOffset, scratch.probeOffset + blockBytes);
  if (!(yield* isSpoilt(context, scratch, mainUnit))) return;
  const others = (existingMask(context, mainUnit) & ~1) >>> 0;
  const unitOffset = mainUnit * context.shape.unitBytes;
  const salvage = yield* salvageBlocks(context, MAIN, unitOffset, others, scratch.unitOffset);
  if (salvage.abandoned || salvage.lostMask !== 0) return;
  context.memory.set(block, scratch.unitOffset);
  const changes = { first: [], updates: [], afterwards: [] };
  const unit = {
    mainUnit,
    bufferOffset: scratch.unitOffset,
    lostMask: 0,
    reason: DescriptorReason.writeError,
  };
  if ((yield* placeOnSpare(context, scratch, unit, changes)) === 0) yield* commitChanges(context, changes);
}

/** Can't be read while the device lives: it may have vanished with the write, or have been away until just now. */
function* isSpoilt(context: ColdContext, scratch: Scratch, unit: number): Procedure<boolean> {
  if ((yield* readBlock(context, scratch, unit)) === 'works') return false;
  if ((yield* probeMain(context, scratch, 'read')) !== 'works') return false;
  return (yield* readBlock(context, scratch, unit)) === 'fails';
}

/** Several procedures may find out at the same time. */
function tripBreaker(context: ColdContext, reason: string, nowMs: number): void {
  if (context.breaker.isOpen) return;
  context.breaker.trip(reason, nowMs);
  count(context.counters, Counter.breakerTrips);
  context.report({ kind: 'breakerOpened', reason });
}

/** Spread evenly: a head or a zone may be gone while the device as a whole lives. */
const PROBE_PLACES = 8;
/** How far a place is searched for a unit that is not on a spare. */
const PROBE_REACH_UNITS = 1024;
