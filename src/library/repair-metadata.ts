import { createHash } from 'node:crypto';
import { isEmptyPlan, planRepair, type RepairPlan, repairSet } from '../device/repair-set.js';
import type { SetSurvey, SurveyedSet } from '../device/survey-set.js';
import { formatUuid } from '../format/set-id.js';
import { problemOf, reportOf } from './check-metadata.js';
import { DmRemapError } from './errors.js';

import { MetadataSession } from './metadata-session.js';
import type { RepairOptions, RepairReport } from './metadata-types.js';
import { findNote } from './noted-set.js';
import { restoreHint } from './restore-hint.js';

/** What `repairMetadata` would do. Writes nothing; rejects with `DmRemapError` where nothing can be done. */
export function planMetadataRepair({ spares, force, ...watch }: RepairOptions): Promise<RepairReport> {
  return MetadataSession.use(spares, 'look', watch, async (session) =>
    planFor(await someSetOf(session), spares, force === true),
  );
}

/** Makes every copy whole again, as far as there is anything to make it from, and looks at the result. */
export function repairMetadata({ spares, force, planId, ...watch }: RepairOptions): Promise<RepairReport> {
  return MetadataSession.use(spares, 'write', watch, async (session) => {
    const survey = await someSetOf(session);
    const report = planFor(survey, spares, force === true);
    if (planId !== undefined && planId !== report.planId) throw hasChanged(spares);
    if (report.nothingToDo) return report;
    const set = survey.set!;
    session.arrangeSpares(set.choice.deviceOfSpare);
    const errno = await session.run(repairSet(session.workOn(set), planRepair(set)));
    if (errno !== 0)
      throw new DmRemapError(
        'io',
        `${spares.join(', ')}: the superblock can't be written; replace the spare`,
      );
    return { ...report, check: reportOf(await session.survey(), spares) };
  });
}

/** A repair makes copies from a copy: where no superblock counts it has nothing to begin with, and a text is needed. */
async function someSetOf(session: MetadataSession): Promise<SetSurvey> {
  const survey = await session.survey();
  if (survey.set !== undefined) return survey;
  const { failure, message } = problemOf(survey, session.paths)!;
  const isGone = !survey.found.ok && ['noneFound', 'contested'].includes(survey.found.error.kind);
  if (!isGone) throw new DmRemapError(failure, message);
  const { memory, bufferOffset } = session;
  let setId: string | undefined;
  for (const [target, { sizeBytes }] of session.geometries.entries())
    setId ??= (await session.run(findNote({ target, sizeBytes, memory, bufferOffset })))?.setId;
  const note = setId === undefined ? '' : ` (its text note is there, and names set ${setId})`;
  const hint = restoreHint(setId, session.paths);
  throw new DmRemapError(failure, `${message}; a repair needs a superblock to begin with${note}; ${hint}`);
}

/** The answer to a plan that is not the one that was shown, or made. */
export function hasChanged(spares: readonly string[]): DmRemapError {
  return new DmRemapError(
    'refused',
    `${spares.join(', ')}: changed since the plan was made; nothing was written`,
  );
}

function planFor(survey: SetSurvey, spares: readonly string[], force: boolean): RepairReport {
  const problem = problemOf(survey, spares);
  const { set } = survey;
  if (set === undefined) throw DmRemapError.of(problem!);
  if (set.choice.missingSpares.length > 0 || set.choice.readOnly) throw refusal(set, spares);
  // What is left of a map that is gone in part can be repaired all the same; who may not be the one, or not be new, can't.
  const isPartial = set.load.lostPages.length > 0 || set.intake.impossible.length > 0;
  if (problem !== null && !force && !(isPartial && survey.found.ok)) throw DmRemapError.of(problem);
  const plan = planRepair(set);
  const nothingToDo = isEmptyPlan(plan);
  const forgetsCopying = !nothingToDo && set.choice.superblock.copyPosition !== undefined;
  return {
    planId: idOf(set, plan),
    nothingToDo,
    check: reportOf(survey, spares),
    superblockCopies: plan.superblockCopies,
    updatesSuperblockTwice: plan.updatesSuperblockTwice || forgetsCopying,
    forgetsCopying,
    inPlacePages: plan.inPlacePages.length,
    pagesWrittenTwice: plan.pagesWrittenTwice.length,
    noteCopies: plan.noteCopies,
    notRepairable: notRepairable(plan, restoreHint(formatUuid(set.choice.superblock.setId), spares)),
  };
}

/** Copies that a missing spare has would be left behind for good: it would count as stale from then on. */
function refusal({ choice }: SurveyedSet, spares: readonly string[]): DmRemapError {
  const list = spares.join(', ');
  if (choice.readOnly)
    return new DmRemapError('metadata', `${list}: carries a feature of a newer dm-remap; use that version`);
  const missing = choice.missingSpares.join(', ');
  return new DmRemapError('refused', `${list}: spare ${missing} of the set is missing; give all spares`);
}

function notRepairable({ lostPages, impossibleUnits }: RepairPlan, hint: string): string[] {
  const lines: string[] = [];
  if (lostPages.length > 0)
    lines.push(
      `${lostPages.length} page(s) of the map have no valid version on any copy (first: ${lostPages[0]}); ${hint}`,
    );
  if (impossibleUnits.length > 0)
    lines.push(
      `${impossibleUnits.length} entries of the map are impossible (first: spare unit ${impossibleUnits[0]}); dump the set, edit the text and restore it; or: ${hint}`,
    );
  return lines;
}

function idOf({ choice }: SurveyedSet, plan: RepairPlan): string {
  const { setId, sequence } = choice.superblock;
  return createHash('sha256')
    .update(setId)
    .update(JSON.stringify([sequence, plan]))
    .digest('hex');
}
