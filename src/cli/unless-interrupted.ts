/** Somebody did not want to wait any more. */
export const INTERRUPTED = Symbol('interrupted');

/** Waits for work that goes on without the command, unless it is `interrupted` before: then nobody hears of its end. */
export function unlessInterrupted<Value>(
  work: Promise<Value>,
  interrupted: Promise<unknown>,
): Promise<Value | typeof INTERRUPTED> {
  work.catch(() => {});
  return Promise.race([work, interrupted.then((): typeof INTERRUPTED => INTERRUPTED)]);
}
