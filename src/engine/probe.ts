import type { ColdContext, Scratch } from './cold-context.js';
import { Counter, count } from './counters.js';
import type { Procedure } from './effect.js';
import { MAIN, perform } from './effect.js';
import type { ErrorClass } from './error-policy.js';

/**
 * May this error be blamed on the sector? True: go on and relocate. False: the device is dead, the breaker is open.
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
  if (!breaker.needsProof(errorClass === 'mediaOrDevice', operation, nowMs)) return true;
  const alive = yield* probeMain(context, scratch, operation);
  if (alive) breaker.noteAlive(operation, nowMs);
  else tripBreaker(context, `${operation}s fail everywhere on the device, last with errno ${errno}`, nowMs);
  return alive;
}

/** With the breaker open: is the device back? Closes the breaker if it is. */
export function* tryDeviceAgain(context: ColdContext, scratch: Scratch): Procedure<void> {
  const alive = yield* probeMain(context, scratch, 'write');
  if (!alive) return;
  context.breaker.close(yield* perform({ kind: 'now' }));
  context.report({ kind: 'breakerClosed' });
}

/** Does the spare that holds this unit answer anywhere? If not, its errors say nothing about sectors. */
export function* spareAnswers(context: ColdContext, scratch: Scratch, spareUnit: number): Procedure<boolean> {
  const { shape } = context;
  const spare = shape.spares[shape.spareIndexOf(spareUnit)]!;
  for (let place = 0; place < PROBE_PLACES; place += 1) {
    const unit = spare.firstUnit + Math.floor((place * spare.unitCount) / PROBE_PLACES);
    const result = yield* perform({
      kind: 'read',
      target: shape.targetOf(unit),
      offsetBytes: shape.spareOffsetBytes(unit),
      lengthBytes: shape.logicalBlockBytes,
      memoryOffset: scratch.probeOffset,
    });
    if (result >= 0) return true;
  }
  return false;
}

/** Reads (and for `write` rewrites, unchanged) one healthy block in up to eight places; true if any place works. */
function* probeMain(context: ColdContext, scratch: Scratch, operation: 'read' | 'write'): Procedure<boolean> {
  count(context.counters, Counter.deviceProbes);
  for (let place = 0; place < PROBE_PLACES; place += 1) {
    const unit = Math.floor(
      ((place + 0.5) * context.shape.mainSizeBytes) / PROBE_PLACES / context.shape.unitBytes,
    );
    if (context.table.find(unit) !== -1 || context.doubtfulUnits.has(unit)) continue;
    const worked = yield* operation === 'read'
      ? readBlock(context, scratch, unit)
      : rewriteBlock(context, scratch, unit);
    if (worked) return true;
  }
  return false;
}

function* readBlock(context: ColdContext, scratch: Scratch, unit: number): Procedure<boolean> {
  const result = yield* perform({
    kind: 'read',
    target: MAIN,
    offsetBytes: unit * context.shape.unitBytes,
    lengthBytes: context.shape.logicalBlockBytes,
    memoryOffset: scratch.probeOffset,
  });
  return result >= 0;
}

/** Locked, so that no application write comes in between; skipped where somebody is at work. */
function* rewriteBlock(context: ColdContext, scratch: Scratch, unit: number): Procedure<boolean> {
  const lockId = yield* perform({ kind: 'tryLock', firstUnit: unit, lastUnit: unit });
  if (lockId === 0) return false;
  const readable = yield* readBlock(context, scratch, unit);
  const result = readable
    ? yield* perform({
        kind: 'write',
        target: MAIN,
        offsetBytes: unit * context.shape.unitBytes,
        lengthBytes: context.shape.logicalBlockBytes,
        memoryOffset: scratch.probeOffset,
      })
    : -1;
  yield* perform({ kind: 'unlock', lockId });
  return result >= 0;
}

function tripBreaker(context: ColdContext, reason: string, nowMs: number): void {
  context.breaker.trip(reason, nowMs);
  count(context.counters, Counter.breakerTrips);
  context.report({ kind: 'breakerOpened', reason });
}

/** Spread evenly: a head or a zone may be gone while the device as a whole lives. */
const PROBE_PLACES = 8;
