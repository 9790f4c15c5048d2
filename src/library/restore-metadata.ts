import { createHash } from 'node:crypto';
import { ERRNO } from '../base/errno.js';
import { dumpSourceOf } from '../device/dump-source.js';
import { differingLines } from '../device/layout-difference.js';
import { readDump, type SetDump } from '../device/read-dump.js';
import { canRestoreInPlace, restoreInPlace } from '../device/restore-in-place.js';
import { type DumpEntry, formatDump } from '../device/set-dump.js';
import { type SetSurvey, stateOf } from '../device/survey-set.js';
import { writeSetAnew } from '../device/write-set-anew.js';
import { DescriptorState } from '../format/descriptor-page.js';
import { formatUuid, sameUuid } from '../format/set-id.js';
import type { Superblock } from '../format/superblock.js';
import { assignSpares } from './assign-spares.js';
import { DmRemapError } from './errors.js';
import { MetadataSession } from './metadata-session.js';
import type { RestoreOptions, RestorePlan } from './metadata-types.js';
import { hasChanged } from './repair-metadata.js';
import { restoredFields } from './restored-fields.js';

/** What `restoreMetadata` would do: the dump is checked, the spares are looked at. Writes nothing. */
export function planMetadataRestore(options: RestoreOptions): Promise<RestorePlan> {
  const dump = parse(options);
  return MetadataSession.use(options.spares, 'look', options, (session) => planFor(session, dump, options));
}

/**
 * Makes the metadata of the spares what a dump says, reads it back and compares. The data on the spares is not touched:
 * the dump has to fit it. Where the set can still be read it goes from one map to the other in one step.
 */
export function restoreMetadata(options: RestoreOptions): Promise<RestorePlan> {
  const dump = parse(options);
  return MetadataSession.use(options.spares, 'write', options, async (session) => {
    const survey = await session.survey();
    const plan = await planFor(session, dump, options, survey);
    if (options.planId !== undefined && options.planId !== plan.planId) throw hasChanged(options.spares);
    session.arrangeSpares(plan.spares.map(({ path }) => options.spares.indexOf(path)));
    const { memory, bufferOffset: readOffset, writeOffset } = session;
    const errno = await session.run(
      plan.mode === 'inPlace'
        ? restoreInPlace(session.workOn(survey.set!), survey.set!, dump)
        : writeSetAnew({ dump, memory, readOffset, writeOffset }),
    );
    const list = options.spares.join(', ');
    if (errno === ERRNO.EOVERFLOW)
      throw new DmRemapError(
        'metadata',
        `${list}: pages are left whose numbers are too high; give the set another id in the text, and use --force`,
      );
    if (errno !== 0)
      throw new DmRemapError('io', `${list}: the metadata can't be written; replace the spare`);
    if (!isAsWanted(await session.survey(), dump))
      throw new DmRemapError('io', `${list}: what was written does not read back as the dump says`);
    return plan;
  });
}

function parse({ text, fileName }: RestoreOptions): SetDump {
  const dump = readDump(text, Math.floor(Date.now() / 1000));
  if (dump.ok) return dump.value;
  const lines = dump.error.map(({ line, message }) => `${fileName}:${line}: ${message}`);
  throw new DmRemapError('usage', lines.join('\n'));
}

async function planFor(
  session: MetadataSession,
  dump: SetDump,
  { force, text, fileName }: RestoreOptions,
  known?: SetSurvey,
): Promise<RestorePlan> {
  const survey = known ?? (await session.survey());
  const spares = await assignSpares(session, survey, dump.superblock, force === true);
  if (force !== true) {
    refuseNewer(survey, session.paths);
    refuseOtherLayout(survey, dump.superblock, fileName);
  }
  const mode = canRestoreInPlace(survey, dump.superblock) ? 'inPlace' : 'anew';
  const before = survey.set === undefined ? null : dumpSourceOf(survey.set).entries;
  const mapped = dump.entries.filter(([, { state }]) => state === DescriptorState.mapped);
  return {
    planId: idOf(survey, mode, text),
    setId: formatUuid(dump.superblock.setId),
    name: dump.superblock.name,
    mode,
    spares,
    remaps: mapped.length,
    retired: dump.entries.length - mapped.length,
    changes: before === null ? null : compare(before, dump.entries),
    fields: survey.set === undefined ? [] : restoredFields(survey.set.choice.superblock, dump.superblock),
  };
}

/** Of a newer program: this one doesn't know what it would destroy. */
function refuseNewer({ found, set }: SetSurvey, paths: readonly string[]): void {
  const isNewer = !found.ok && found.error.kind === 'newerFormat';
  if (!isNewer && set?.choice.readOnly !== true) return;
  const message = `${paths.join(', ')}: written by a newer dm-remap; use that version, or --force to overwrite it`;
  throw new DmRemapError('metadata', message);
}

/** While the set can be read, what moved is known to lie where its own layout says. */
function refuseOtherLayout(survey: SetSurvey, wanted: Superblock, fileName: string): void {
  if (!isComplete(survey)) return;
  const { superblock } = survey.set!.choice;
  const lines = sameUuid(superblock.setId, wanted.setId) ? differingLines(superblock, wanted) : [];
  if (lines.length === 0) return;
  throw new DmRemapError(
    'refused',
    `${fileName}: sizes or places are not those of the set on the spares (${lines.join(', ')}), so moved units would be ` +
      'read from wrong places; --force writes it all the same',
  );
}

function isComplete(survey: SetSurvey): boolean {
  const state = stateOf(survey);
  return state === 'clean' || state === 'damaged';
}

function isAsWanted(survey: SetSurvey, dump: SetDump): boolean {
  const { set } = survey;
  const isUsable = survey.found.ok && set !== undefined && stateOf(survey) !== 'unusable';
  if (!isUsable || !sameUuid(set.choice.superblock.setId, dump.superblock.setId)) return false;
  const wanted = [...formatDump({ ...dump, lostPages: [] })].join('');
  return [...formatDump(dumpSourceOf(set))].join('') === wanted;
}

function compare(
  before: readonly DumpEntry[],
  after: readonly DumpEntry[],
): NonNullable<RestorePlan['changes']> {
  const old = new Map(
    before.map(([unit, descriptor]) => [unit, JSON.stringify(Object.entries(descriptor).sort())]),
  );
  let [added, changed] = [0, 0];
  for (const [unit, descriptor] of after) {
    const was = old.get(unit);
    if (was === undefined) added += 1;
    else if (was !== JSON.stringify(Object.entries(descriptor).sort())) changed += 1;
    old.delete(unit);
  }
  return { added, removed: old.size, changed };
}

function idOf({ scanned, set }: SetSurvey, mode: string, text: string): string {
  const sequences = scanned.flatMap(({ candidates }) =>
    candidates.map(({ found }) => (found.ok ? found.value.superblock.sequence : found.error)),
  );
  const state = [mode, sequences, set?.findings ?? null];
  return createHash('sha256').update(JSON.stringify(state)).update(text).digest('hex');
}
