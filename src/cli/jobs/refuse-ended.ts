import type { JobReport } from '../../control/schema/jobs.js';
import { DmRemapError } from '../../library/errors.js';
import { isUnderWay } from '../follow-job.js';
import { jobName } from '../job-text.js';

/** Throws `DmRemapError` unless the job is under way or rests: nothing else can be paused or resumed. */
export function refuseEnded(job: JobReport): void {
  if (isUnderWay(job)) return;
  throw new DmRemapError(
    'refused',
    `${jobName(job)} has ended (${job.state}), so it can't be paused or resumed; ${WHAT_NEXT[job.kind]}`,
  );
}

const WHAT_NEXT: Readonly<Record<JobReport['kind'], string>> = {
  evacuation: '"dmremap evacuate" has a disk that holds everything take over, or copies anew',
  emptySpare: '"dmremap spare remove" takes an empty spare out, or begins anew',
  consolidate: '"dmremap remap consolidate" begins anew',
};
