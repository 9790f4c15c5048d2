import type { JobReport } from '../../control/schema/jobs.js';
import type { DeviceNotice } from '../../library/device-types.js';
import { jobName } from '../job-text.js';

/** What a person reads in the log about long work. */
export function beganNotice(job: JobReport): DeviceNotice {
  return jobNotice(job, 'info', 'jobBegan', `${jobName(job)}: begins`);
}

export function pausedNotice(job: JobReport): DeviceNotice {
  return jobNotice(job, 'info', 'jobPaused', `${jobName(job)}: rests until it is resumed`);
}

export function resumedNotice(job: JobReport): DeviceNotice {
  return jobNotice(job, 'info', 'jobResumed', `${jobName(job)}: goes on`);
}

export function endedNotice(job: JobReport): DeviceNotice {
  const level = job.state === 'failed' ? 'error' : 'info';
  const why = job.problem === null ? '' : `: ${job.problem}`;
  return jobNotice(job, level, 'jobEnded', `${jobName(job)}: ${job.state}${why}`);
}

function jobNotice(
  { id, kind, state }: JobReport,
  level: DeviceNotice['level'],
  event: string,
  message: string,
): DeviceNotice {
  return { level, event, message, details: { job: id, kind, state } };
}
