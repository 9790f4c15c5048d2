import type { JobReport } from '../../control/schema/jobs.js';

/** The emptying of a spare that is under way. */
export function jobReport(changes: Partial<JobReport> = {}): JobReport {
  return {
    id: 'empty-aa',
    kind: 'emptySpare',
    path: '/dev/sdb',
    spareIndex: 0,
    state: 'running',
    isWaiting: false,
    isComparing: false,
    progress: { done: 4, total: 10, unit: 'units', perSecond: 2, secondsLeft: 3 },
    movedUnits: 4,
    refusals: [],
    problem: null,
    ...changes,
  };
}
