import { DescriptorReason } from '../format/descriptor-page.js';
import { bitCount } from './bit-count.js';
import type { ColdContext, Scratch } from './cold-context.js';
import { confirmLoss } from './confirm-loss.js';
import { Counter, count } from './counters.js';
import type { Procedure } from './effect.js';
import { MAIN, perform } from './effect.js';
import type { ErrorClass } from './error-policy.js';
import { fillFromReplacement } from './read-replacement.js';
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
  const isStopped = (): boolean => (operation === 'read' ? breaker.stopsReads : breaker.isOpen);
  if (isStopped()) return false;
  const nowMs = yield* perform({ kind: 'now' });
  if (errorClass === 'device') {
    const readsPass = operation === 'write' && (yield* probeMain(context, scratch, 'read')) === 'works';
    tripBreaker(context, `${operation} failed with errno ${errno}`, nowMs, readsPass);
    return false;
  }
  if (!breaker.needsProof(errorClass === 'mediaOrDevice', operation)) return true;
  const outcome: ProbeOutcome = yield* operation === 'read'
    ? probeMain(context, scratch, 'read')
    : proveByWriting(context, scratch);
  // Somebody else has found out meanwhile.
  if (isStopped()) return false;
  if (outcome === 'works') {
    breaker.noteSuccess(operation);
    return true;
  }
  // Most places are locked, as when nearly all of a small device is being zeroed: a read has to do for now.
  if (outcome === 'untried' && operation === 'write') {
    if ((yield* probeMain(context, scratch, 'read')) === 'works') return true;
  }
  const reason = `${operation}s fail everywhere on the device, last with errno ${errno}`;
  tripBreaker(context, reason, nowMs, outcome === 'readsOnly');
  return false;
}

/** One at a time: among many that fail at the same time each would find the places locked by the others. */
function* proveByWriting(context: ColdContext, scratch: Scratch): Procedure<ProbeOutcome> {
  const { breaker } = context;
  while (breaker.isBeingProved) yield* perform({ kind: 'delay', delayMs: PROOF_PAUSE_MS });
  breaker.isBeingProved = true;
  const outcome: ProbeOutcome = breaker.isOpen ? 'untried' : yield* probeMain(context, scratch, 'write');
  breaker.isBeingProved = false;
  return outcome;
}

/** Something failed in a way that could be the end of the device: opens the breaker if it answers nowhere. */
export function* checkMain(context: ColdContext, scratch: Scratch, reason: string): Procedure<void> {
  if (context.breaker.stopsReads) return;
  if ((yield* probeMain(context, scratch, 'read')) !== 'fails') return;
  tripBreaker(context, reason, yield* perform({ kind: 'now' }), false);
}

/** Known from the start: nobody has to fail first. */
export function noteTakesNoWrites(context: ColdContext, reason: string, nowMs: number): void {
  tripBreaker(context, reason, nowMs, true);
}

/** With the breaker open: is the device back? Closes the breaker if it is, or lets reads pass if these work. */
export function* tryDeviceAgain(context: ColdContext, scratch: Scratch): Procedure<void> {
  const { breaker } = context;
  const outcome = yield* probeMain(context, scratch, 'write');
  if (outcome === 'works') {
    breaker.close();
    context.report({ kind: 'breakerClosed' });
  } else if (outcome === 'readsOnly' && breaker.stopsReads) {
    breaker.letReadsPass();
    context.report({ kind: 'breakerLetsReadsPass' });
  } else if (outcome === 'fails') {
    tripBreaker(context, 'it answers nowhere any more', yield* perform({ kind: 'now' }), false);
  }
}

/**
 * `readsOnly`: of a write, that reads work where it fails. `untried`: of a place or of most places, that somebody else is at
 * work there, so that nothing is known.
 */
type ProbeOutcome = 'works' | 'readsOnly' | 'fails' | 'untried';

/** What one look at the device has found so far: places by the unit that each begins at. */
interface Probe {
  readonly operation: 'read' | 'write';
  readonly tried: Set<number>;
  /** Places where nothing could be tried. */
  readonly locked: number[];
  failedCount: number;
  readsWork: boolean;
}

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
  const probe: Probe = { operation, tried: new Set(), failedCount: 0, locked: [], readsWork: false };
  if (yield* worksSomewhere(context, scratch, probe)) return 'works';
  const { readsWork } = probe;
  const [failedCount, untriedCount] = [probe.failedCount, probe.locked.length];
  // The few that could be tried may just be bad themselves.
  const isUntried = failedCount <= untriedCount;
  // Where so little lives all of it may be bad, and there is next to nothing that the device would have to take.
  const isEmpty = unitCountOf(context) - context.table.mappedCount <= PROBE_PLACES;
  if (isUntried && operation === 'write' && !isEmpty) return 'untried';
  const isFew = isEmpty || failedCount <= FEW_UNITS;
  const answers = isFew && (yield* answersWhereUnitsMoved(context, scratch));
  if (answers) return operation === 'read' || isEmpty ? 'works' : 'untried';
  if (isUntried) return 'untried';
  return readsWork ? 'readsOnly' : 'fails';
}

/** On a small device nearly all units may live on spares; the main device may still give what they left. */
function* answersWhereUnitsMoved(context: ColdContext, scratch: Scratch): Procedure<boolean> {
  for (let place = 0; place < PROBE_PLACES; place += 1) {
    const unit = firstUnitAt(context, place);
    const hasMoved = context.table.find(unit) !== -1;
    if (hasMoved && (yield* readBlock(context, scratch, unit)) === 'works') return true;
  }
  return false;
}

/** One unit for each place, each another; then others behind those that are locked. */
function* worksSomewhere(context: ColdContext, scratch: Scratch, probe: Probe): Procedure<boolean> {
  for (let place = 0; place < PROBE_PLACES; place += 1) {
    if (yield* worksBehind(context, scratch, probe, firstUnitAt(context, place))) return true;
  }
  // Where no place has any within reach, the first of all.
  if (probe.tried.size === 0 && (yield* worksBehind(context, scratch, probe, 0))) return true;
  for (let attempt = 1; attempt < LOCKED_ATTEMPTS; attempt += 1) {
    for (const firstUnit of probe.locked.splice(0)) {
      const hasAnother = healthyUnitFrom(context, firstUnit, probe.tried) !== -1;
      if (!hasAnother) probe.locked.push(firstUnit);
      else if (yield* worksBehind(context, scratch, probe, firstUnit)) return true;
    }
  }
  return false;
}

/** The next unit that has not been tried, from the first one on: notes what it says, or that it is locked. */
function* worksBehind(
  context: ColdContext,
  scratch: Scratch,
  probe: Probe,
  firstUnit: number,
): Procedure<boolean> {
  const unit = healthyUnitFrom(context, firstUnit, probe.tried);
  if (unit === -1) return false;
  probe.tried.add(unit);
  const here: ProbeOutcome = yield* probe.operation === 'read'
    ? readBlock(context, scratch, unit)
    : rewriteBlock(context, scratch, unit);
  if (here === 'untried') probe.locked.push(firstUnit);
  else if (here !== 'works') probe.failedCount += 1;
  probe.readsWork ||= here === 'readsOnly';
  return here === 'works';
}

/**
 * The next unit that lives on the main device and has not been tried, from the first after the last; -1 if there is none
 * within reach. Places are not at equal distances: bad sectors may be, as when one of a drive's surfaces fails.
 */
function healthyUnitFrom(context: ColdContext, first: number, tried: ReadonlySet<number>): number {
  const unitCount = unitCountOf(context);
  for (let step = 0; step < Math.min(PROBE_REACH_UNITS, unitCount); step += 1) {
    const unit = (first + step) % unitCount;
    const isHere = context.table.find(unit) === -1 && !context.doubtfulUnits.has(unit);
    if (isHere && !tried.has(unit)) return unit;
  }
  return -1;
}

function firstUnitAt(context: ColdContext, place: number): number {
  const { mainSizeBytes, unitBytes } = context.shape;
  const start = Math.floor(((place + 0.5) * mainSizeBytes) / PROBE_PLACES / unitBytes);
  return Math.min(start + place, unitCountOf(context) - 1);
}

function unitCountOf({ shape: { mainSizeBytes, unitBytes } }: ColdContext): number {
  return Math.ceil(mainSizeBytes / unitBytes);
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
  if (worked) return 'works';
  return readable === 'works' ? 'readsOnly' : 'fails';
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
 * The probe's own write failed, and may have spoilt a block that was good: if it can't be read any more while the device
 * lives, the unit goes to a spare with the block as it was read before, and with what can be read of the others.
 */
function* saveProbedUnit(context: ColdContext, scratch: Scratch, mainUnit: number): Procedure<void> {
  const blockBytes = context.shape.logicalBlockBytes;
  const block = context.memory.slice(scratch.probeOffset, scratch.probeOffset + blockBytes);
  if (!(yield* isSpoilt(context, scratch, mainUnit))) return;
  const others = (existingMask(context, mainUnit) & ~1) >>> 0;
  const unitOffset = mainUnit * context.shape.unitBytes;
  let salvage = yield* salvageBlocks(context, MAIN, unitOffset, others, scratch.unitOffset);
  if (salvage.lostMask !== 0 && !salvage.abandoned) {
    const place = { target: MAIN, offsetBytes: unitOffset, bufferOffset: scratch.unitOffset };
    salvage = yield* confirmLoss(context, place, salvage, () => answersReads(context, scratch));
  }
  if (salvage.abandoned) return;
  const { lostMask } = salvage;
  const missing = yield* fillFromReplacement(context, mainUnit, MAIN, lostMask, scratch.unitOffset);
  context.memory.set(block, scratch.unitOffset);
  yield* placeProbedUnit(context, scratch, mainUnit, missing);
}

function* answersReads(context: ColdContext, scratch: Scratch): Procedure<boolean> {
  return (yield* probeMain(context, scratch, 'read')) === 'works';
}

function* placeProbedUnit(
  context: ColdContext,
  scratch: Scratch,
  mainUnit: number,
  lostMask: number,
): Procedure<void> {
  const changes = { first: [], updates: [], afterwards: [] };
  const unit = { mainUnit, bufferOffset: scratch.unitOffset, lostMask, reason: DescriptorReason.writeError };
  const errno = yield* placeOnSpare(context, scratch, unit, changes);
  if (errno === 0 && lostMask !== 0) {
    count(context.counters, Counter.blocksLost, bitCount(lostMask));
    context.report({ kind: 'lost', mainUnit, lostMask });
  }
  // Places that turned out bad on the way are retired in any case.
  yield* commitChanges(context, changes);
}

/**
 * Can't be read while the device lives. It may have vanished with the write, be there for a proof of life, and go again, so,
 * as in `confirmLoss`, every failure needs a proof of life after it.
 */
function* isSpoilt(context: ColdContext, scratch: Scratch, unit: number): Procedure<boolean> {
  for (let attempt = 0; attempt < SPOILT_READS; attempt += 1) {
    if ((yield* readBlock(context, scratch, unit)) === 'works') return false;
    if (!(yield* answersReads(context, scratch))) return false;
  }
  return true;
}

/** Several procedures may find out at the same time; it may only get worse here. */
function tripBreaker(context: ColdContext, reason: string, nowMs: number, readsPass: boolean): void {
  const { breaker } = context;
  if (breaker.isOpen && (readsPass || breaker.stopsReads)) return;
  if (!breaker.isOpen) count(context.counters, Counter.breakerTrips);
  breaker.trip(reason, nowMs, readsPass);
  context.report({ kind: 'breakerOpened', reason, readsPass });
}

/** A device that flaps has to be away at each of them, and there in between. */
const SPOILT_READS = 3;
/** A proof is a read and a write, or some. */
const PROOF_PAUSE_MS = 1;
/** Spread evenly: a head or a zone may be gone while the device as a whole lives. */
const PROBE_PLACES = 8;
/** So few may all be bad on a device that lives. */
const FEW_UNITS = 2;
/** So many units at a place, until one is not locked: half of a small device may be at work. */
const LOCKED_ATTEMPTS = 8;
/** How far a place is searched for a unit that is not on a spare. */
const PROBE_REACH_UNITS = 1024;
