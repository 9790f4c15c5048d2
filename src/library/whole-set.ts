import { isEmptyPlan, planRepair, repairSet } from '../device/repair-set.js';
import { type SurveyedSet, stateOf } from '../device/survey-set.js';
import { problemOf } from './check-metadata.js';
import { DmRemapError } from './errors.js';
import type { MetadataSession } from './metadata-session.js';

/** The set on these devices, if a start would take it. `deviceCount`: of the first so many; left out, of all. */
export async function wholeSetOf(session: MetadataSession, deviceCount?: number): Promise<SurveyedSet> {
  const survey = await session.survey(deviceCount);
  const list = session.paths.slice(0, deviceCount).join(', ');
  const problem = problemOf(survey, session.paths);
  if (problem !== null) throw DmRemapError.of(problem);
  const state = stateOf(survey);
  if (state !== 'clean' && state !== 'damaged')
    throw new DmRemapError('metadata', `${list}: ${state}; see "dmremap metadata check"`);
  return survey.set!;
}

/** Writes every copy that lacks something, as a start would. The spares are arranged. */
export async function makeWhole(session: MetadataSession, set: SurveyedSet): Promise<void> {
  const plan = planRepair(set);
  if (isEmptyPlan(plan)) return;
  const errno = await session.run(repairSet(session.workOn(set), plan));
  if (errno !== 0)
    throw new DmRemapError(
      'io',
      `${session.paths.join(', ')}: the superblock can't be written; replace the spare`,
    );
}
