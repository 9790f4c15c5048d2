import { setTimeout as delay } from 'node:timers/promises';
import { patienceMs } from './patience.js';

/** Looks again and again until something is so. Fails, with its name, after so long on an idle host; later on a busy one. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  timeoutSeconds = 30,
): Promise<void> {
  const deadlineMs = Date.now() + patienceMs(timeoutSeconds);
  while (!(await isSo())) {
    if (Date.now() >= deadlineMs) throw new Error(`${what}: not within ${timeoutSeconds} s`);
    await delay(PAUSE_MS);
  }
}

const PAUSE_MS = 100;
