import type { StopSignals } from './stop-signals.js';

/** Somebody did not want to wait any more. */
export const INTERRUPTED = Symbol('interrupted');
export type Interrupted = typeof INTERRUPTED;

/** Resolves when a signal comes; the command is not ended by it. */
export async function interruption(signals: StopSignals): Promise<Interrupted> {
  await signals.next();
  return INTERRUPTED;
}

/** Waits for work that goes on without the command, unless it is `interrupted` before: then nobody hears of its end. */
export function unlessInterrupted<Value>(
  work: Promise<Value>,
  interrupted: Promise<Interrupted>,
): Promise<Value | Interrupted> {
  work.catch(() => {});
  return Promise.race([interrupted, work]);
}
