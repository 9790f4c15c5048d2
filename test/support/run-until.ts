import { setImmediate as nextTurn } from 'node:timers/promises';

/** Turns Node's event loop till `done()`; rejects after `limitMs`, so that a lost completion fails its test. */
export async function runEventLoopUntil(done: () => boolean, limitMs = 10_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!done()) {
    if (performance.now() > endMs) throw new Error(`still waiting after ${limitMs} ms`);
    await nextTurn();
  }
}
