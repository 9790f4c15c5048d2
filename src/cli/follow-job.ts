import { setTimeout as delay } from 'node:timers/promises';
import type { JobReport } from '../control/schema/jobs.js';
import { jobProgressText } from './job-text.js';
import type { Output } from './output.js';
import { START_OVER } from './start-over.js';
import { INTERRUPTED, type Interrupted, unlessInterrupted } from './unless-interrupted.js';

/**
 * Waits until a job has ended, whichever way, and shows a person at a terminal how far it is. Answers it as it is then; if it
 * is under way still, `interrupted` came first. `begun`: as it was at the beginning.
 */
export async function followJob(
  begun: JobReport,
  ask: () => Promise<JobReport>,
  output: Output,
  interrupted: Promise<Interrupted>,
  pauseMs = PAUSE_MS,
): Promise<JobReport> {
  let job = begun;
  let wasShown = false;
  while (isUnderWay(job)) {
    // Nobody may serve the set for a while.
    const now = await unlessInterrupted(ask(), interrupted);
    if (now === INTERRUPTED) break;
    job = now;
    if (!isUnderWay(job)) break;
    if (output.isTerminal) output.write(`${START_OVER}${jobProgressText(job)}`);
    wasShown = true;
    await Promise.race([delay(pauseMs), interrupted]);
  }
  if (output.isTerminal && wasShown) output.write(START_OVER);
  return job;
}

/** It runs, or rests: it has not ended. */
export function isUnderWay({ state }: Pick<JobReport, 'state'>): boolean {
  return state === 'running' || state === 'paused';
}

const PAUSE_MS = 300;
