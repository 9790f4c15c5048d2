import { setTimeout as delay } from 'node:timers/promises';
import type { JobReport } from '../control/schema/jobs.js';
import { jobProgressText } from './job-text.js';
import type { Output } from './output.js';
import { START_OVER } from './start-over.js';

/**
 * Waits until a job has ended, whichever way, and shows a person at a terminal how far it is. Undefined: `interrupted` came
 * first; the job goes on.
 */
export async function followJob(
  ask: () => Promise<JobReport>,
  output: Output,
  interrupted: Promise<unknown>,
  pauseMs = PAUSE_MS,
): Promise<JobReport | undefined> {
  let isInterrupted = false;
  void interrupted.then(() => {
    isInterrupted = true;
  });
  for (let wasShown = false; ; wasShown = true) {
    const job = await ask();
    const goesOn = job.state === 'running' || job.state === 'paused';
    if (goesOn && !isInterrupted) {
      if (output.isTerminal) output.write(`${START_OVER}${jobProgressText(job)}`);
      await Promise.race([delay(pauseMs), interrupted]);
      continue;
    }
    if (output.isTerminal && wasShown) output.write(START_OVER);
    return goesOn ? undefined : job;
  }
}

const PAUSE_MS = 300;
