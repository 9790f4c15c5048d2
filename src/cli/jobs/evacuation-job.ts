import type { JobReport } from '../../control/schema/jobs.js';
import type { EvacuationReport } from '../../library/device-types.js';
import type { Pace } from './pace.js';

export const EVACUATION_ID = 'evacuation';

/** The copying of a set to another disk that is under way, or has ended, as one of the jobs of the set. */
export function evacuationJob(report: EvacuationReport, pace: Pace): JobReport {
  const { path, pass, isWaiting, copiedBytes: done, totalBytes: total, beginningBytes, problem } = report;
  // Less than before where something is to be copied again.
  const doneNow = Math.max(0, done - beginningBytes);
  return {
    ...about(path),
    state: stateOf(report),
    isWaiting,
    isComparing: pass === 'comparing',
    progress: { done, total, unit: 'bytes', ...pace.of(doneNow, doneNow + total - done) },
    problem,
  };
}

/** One that no process has begun again. */
export function restingEvacuation(path: string, problem: string): JobReport {
  const progress = { done: 0, total: 0, unit: 'bytes', perSecond: null, secondsLeft: null } as const;
  return { ...about(path), state: 'paused', isWaiting: false, isComparing: false, progress, problem };
}

function about(path: string) {
  const what = { id: EVACUATION_ID, kind: 'evacuation', path, spareIndex: null } as const;
  return { ...what, movedUnits: 0, refusals: [] };
}

/** All that can be copied is there when the disk may take over. */
function stateOf({ state, isPaused }: EvacuationReport): JobReport['state'] {
  switch (state) {
    case 'copying':
      return isPaused ? 'paused' : 'running';
    case 'copied':
      return 'done';
    case 'incomplete':
      return 'failed';
    default:
      return state;
  }
}
