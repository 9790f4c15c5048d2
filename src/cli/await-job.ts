import { commandLine } from '../base/shell-words.js';
import type { RunningSet } from '../control/client/running-sets.js';
import type { JobReport } from '../control/schema/jobs.js';
import { DmRemapError } from '../library/errors.js';
import { askPatiently } from './ask-patiently.js';
import type { CliContext } from './cli-context.js';
import { followJob, isUnderWay } from './follow-job.js';
import { jobName } from './job-text.js';
import { interruption } from './unless-interrupted.js';

/**
 * Begins a job, or goes on with it, and waits for its end, whoever serves the set. If it is under way still, the person has
 * interrupted that, and was told that it goes on.
 */
export async function awaitJob(
  { client, device }: RunningSet,
  begin: () => Promise<JobReport>,
  called: string,
  context: CliContext,
): Promise<JobReport> {
  const interrupted = interruption(context.stopSignals);
  const begun = await askPatiently(begin, device, context);
  const ask = async (): Promise<JobReport> => {
    const jobs = await askPatiently(() => client.jobs(), device, context);
    return jobs.find(({ id }) => id === begun.id) ?? notKnown(begun);
  };
  const job = await followJob(begun, ask, context.err, interrupted);
  if (isUnderWay(job)) context.err.write(goesOnText(begun, called));
  return job;
}

function goesOnText(begun: JobReport, called: string): string {
  const look = commandLine(['dmremap', 'jobs', called]);
  const cancel = commandLine(['dmremap', 'job', 'cancel', called, begun.id]);
  return `dmremap: ${jobName(begun)} goes on; "${look}" shows it, "${cancel}" gives it up\n`;
}

/** Rejects where it did not come to its end. */
export function throwUnlessDone(job: JobReport): void {
  const problem = problemOf(job);
  if (problem !== undefined) throw problem;
}

/** Why it did not come to its end. */
export function problemOf(job: JobReport): DmRemapError | undefined {
  if (job.state === 'cancelled')
    return new DmRemapError('refused', `${jobName(job)}: somebody has cancelled it`);
  if (job.state === 'failed') return new DmRemapError('io', job.problem ?? `${jobName(job)}: failed`);
  return undefined;
}

/** Whoever serves the set now has nothing in its memory: it was cancelled, or could not be remembered. */
function notKnown(begun: JobReport): never {
  throw new DmRemapError(
    'device',
    `${jobName(begun)}: the process that serves the set was started again and does not know of it any more; begin again`,
  );
}
