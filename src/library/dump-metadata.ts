import { dumpSourceOf } from '../device/dump-source.js';
import { formatDump } from '../device/set-dump.js';
import { formatUuid } from '../format/set-id.js';
import { problemOf } from './check-metadata.js';
import { DmRemapError } from './errors.js';
import { MetadataSession } from './metadata-session.js';
import type { DumpReport, TransferWatch } from './metadata-types.js';

/**
 * A set's metadata as text (docs/metadata.md), also where only part of it can be read: the text says so then. Writes
 * nothing, takes no lock.
 */
export function dumpMetadata(paths: readonly string[], watch: TransferWatch = {}): Promise<DumpReport> {
  return MetadataSession.use(paths, 'look', watch, async (session) => {
    const survey = await session.survey();
    if (survey.set === undefined) throw DmRemapError.of(problemOf(survey, paths)!);
    const source = dumpSourceOf(survey.set);
    const setId = formatUuid(source.superblock.setId);
    return { setId, pieces: formatDump(source), lostPages: source.lostPages };
  });
}
