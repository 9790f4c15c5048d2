import type { JobReport } from '../../control/schema/jobs.js';
import type { WantedEmptying } from './emptying-work.js';
import type { UnitJob } from './unit-job.js';

/** Work on units that this process has begun, goes on with, or has ended. */
export interface KnownJob extends Pick<JobReport, 'id' | 'kind' | 'path' | 'spareIndex'> {
  readonly job: UnitJob;
  readonly unit: JobReport['progress']['unit'];
  /** Of the emptying of a spare. */
  readonly wanted: WantedEmptying | undefined;
}

export function reportOf({ job, wanted: _, unit, ...about }: KnownJob): JobReport {
  const { report } = job;
  return { ...about, ...report, isComparing: false, progress: { ...report.progress, unit } };
}
