import type { ColdContext } from './cold-context.js';
import { Counter, count } from './counters.js';
import type { Procedure, TransferEffect } from './effect.js';
import { MAIN, perform, REPLACEMENT } from './effect.js';
import type { ErrorClass } from './error-policy.js';
import { classifyError, RETRY_DELAYS_MS } from './error-policy.js';

/** How one I/O went after all retries that the policy allows. */
export type Attempt =
  /** `after`: the class of the last error before it succeeded, if there was one. */
  { readonly ok: true; readonly after: ErrorClass | undefined } | FailedAttempt;

export interface FailedAttempt {
  readonly ok: false;
  readonly errno: number;
  readonly errorClass: ErrorClass;
}

/** One read or write with the retries of its error class; `mediaRetries: false` leaves media errors to the caller. */
export function* transferWithRetries(
  context: Pick<ColdContext, 'counters'>,
  effect: TransferEffect,
  mediaRetries: boolean,
): Procedure<Attempt> {
  let after: ErrorClass | undefined;
  for (let retries = 0; ; retries += 1) {
    const result = yield* perform(effect);
    if (result >= 0) return { ok: true, after };
    countFailure(context, effect);
    const errorClass = classifyError(-result, effect.kind);
    const delayMs = retryDelaysMs(errorClass, effect.kind, mediaRetries)[retries];
    if (delayMs === undefined) return { ok: false, errno: -result, errorClass };
    after = errorClass;
    count(context.counters, Counter.retries);
    if (delayMs > 0) yield* perform({ kind: 'delay', delayMs });
  }
}

/**
 * A write failed, and its device has proved to be alive since. If the error may have been the device's, which may have
 * been away until just then, the write is tried once more. A medium error is the sector's and needs no second look.
 */
export function* confirmFailure(
  context: Pick<ColdContext, 'counters'>,
  effect: TransferEffect,
  failure: FailedAttempt,
): Procedure<Attempt> {
  if (failure.errorClass !== 'mediaOrDevice') return failure;
  return yield* transferWithRetries(context, effect, false);
}

export function isMediaClass(errorClass: ErrorClass): boolean {
  return errorClass === 'media' || errorClass === 'mediaOrDevice';
}

function retryDelaysMs(
  errorClass: ErrorClass,
  operation: 'read' | 'write',
  mediaRetries: boolean,
): readonly number[] {
  if (errorClass === 'transient') return RETRY_DELAYS_MS.transient;
  if (!isMediaClass(errorClass) || !mediaRetries) return [];
  return operation === 'read' ? RETRY_DELAYS_MS.mediaRead : RETRY_DELAYS_MS.mediaWrite;
}

function countFailure(context: Pick<ColdContext, 'counters'>, effect: TransferEffect): void {
  // It is none of the set's.
  if (effect.target === REPLACEMENT) return;
  const onMain = effect.target === MAIN;
  if (effect.kind === 'read')
    count(context.counters, onMain ? Counter.mainReadErrors : Counter.spareReadErrors);
  else count(context.counters, onMain ? Counter.mainWriteErrors : Counter.spareWriteErrors);
}
