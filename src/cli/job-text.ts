import { formatCount, formatNumber } from '../base/format-count.js';
import type { JobReport } from '../control/schema/jobs.js';
import { durationText } from './duration-text.js';
import { formatSize } from './sizes.js';

/** What it does, for a person. */
export function jobName({ kind, path, spareIndex }: Pick<JobReport, 'kind' | 'path' | 'spareIndex'>): string {
  switch (kind) {
    case 'evacuation':
      return `copying everything to ${path}`;
    case 'emptySpare':
      return `emptying spare ${spareIndex} (${path})`;
    case 'consolidate':
      return 'putting scattered units together';
  }
}

/** How far it is, on a line. */
export function jobProgressText(job: JobReport): string {
  if (job.state === 'running' && job.isWaiting) return `${amountText(job)}, waits for a device`;
  if (job.state === 'running' && job.isComparing)
    return `${amountText(job)}, comparing what was copied before`;
  // What is copied serves nobody yet: the old disk is the main device still.
  if (job.state === 'done' && job.kind === 'evacuation')
    return `${amountText(job)}, takes over with "dmremap evacuate"`;
  return job.state === 'running' ? `${amountText(job)}${paceText(job)}` : `${amountText(job)}, ${job.state}`;
}

function amountText({ progress: { done, total, unit } }: JobReport): string {
  const percent = total === 0 ? '' : ` (${Math.floor((100 * done) / total)} %)`;
  switch (unit) {
    case 'bytes':
      return total === 0 ? 'nothing yet' : `${formatSize(done)} of ${formatSize(total)}${percent}`;
    case 'units':
      return `${formatNumber(done)} of ${formatCount(total, 'unit')}${percent}`;
    case 'runs':
      return `${formatNumber(done)} of ${formatCount(total, 'run')} of neighbours${percent}`;
  }
}

function paceText({ progress: { perSecond, secondsLeft, unit } }: JobReport): string {
  if (perSecond === null || secondsLeft === null) return '';
  const rate =
    unit === 'bytes' ? formatSize(Math.round(perSecond)) : perSecond.toFixed(perSecond < 10 ? 1 : 0);
  return `, ${rate}/s, ${durationText(secondsLeft)} left`;
}
