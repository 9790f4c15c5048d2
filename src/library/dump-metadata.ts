import { entriesOf } from '../device/replace-map.js';
import { type DumpSource, formatDump } from '../device/set-dump.js';
import type { SurveyedSet } from '../device/survey-set.js';
import { pageOfUnit } from '../format/layout.js';
import { formatUuid } from '../format/set-id.js';
import { problemOf } from './check-metadata.js';
import { DmRemapError } from './errors.js';
import { MetadataSession } from './metadata-session.js';
import type { DumpReport } from './metadata-types.js';

/**
 * A set's metadata as text (docs/metadata.md), also where only part of it can be read: the text says so then. Writes
 * nothing, takes no lock.
 */
export function dumpMetadata(paths: readonly string[]): Promise<DumpReport> {
  return MetadataSession.use(paths, 'look', async (session) => {
    const survey = await session.survey();
    if (survey.set === undefined) throw DmRemapError.of(problemOf(survey, paths)!);
    const source = dumpSourceOf(survey.set);
    const setId = formatUuid(source.superblock.setId);
    return { setId, pieces: formatDump(source), lostPages: source.lostPages };
  });
}

/** The map of a set as it is known; pages with an entry that can't be are as good as lost. */
export function dumpSourceOf({ choice, table, load, intake }: SurveyedSet): DumpSource {
  const incomplete = new Set([...load.lostPages, ...intake.impossible.map(pageOfUnit)]);
  const lostPages = [...incomplete].sort((one, other) => one - other);
  const { superblock } = choice;
  return { superblock, entries: entriesOf(table, superblock.spares), lostPages };
}
