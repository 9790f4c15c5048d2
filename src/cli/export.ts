import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import { DmRemapError } from '../library/errors.js';
import type { InspectReport } from '../library/offline-types.js';
import type { CliContext } from './cli-context.js';
import { dmTableOf, formatDmTable } from './dm-table.js';
import { EXIT_STATUS } from './exit-status.js';
import { mayBeInUse } from './health.js';
import { helpLikeManual } from './help.js';
import { writeJson } from './output.js';
import { repeated } from './repeated-option.js';

export interface ExportArguments {
  readonly spares: readonly string[];
  readonly dmTable: boolean;
  readonly main: string | undefined;
  /** In the order of the set's spares; empty: the paths given for reading. */
  readonly sparePaths: readonly string[];
  readonly json: boolean;
}

/** `dmremap export`: the map in a form that works without dm-remap. Reads only. */
export async function exportMap(args: ExportArguments, context: CliContext): Promise<number> {
  if (!args.dmTable) throw new DmRemapError('usage', 'say what to export: --dm-table');
  const main = args.main ?? UNNAMED_MAIN;
  const report = await context.library.inspectSpares(args.spares);
  refuseDoubtful(report);
  const sparePaths = sparePathsOf(report, args.sparePaths);
  const rows = dmTableOf(report);
  if (args.json) writeJson(context.out, { setId: report.setId, main, spares: sparePaths, table: rows });
  else context.out.write(formatDmTable(rows, main, sparePaths));
  if (args.main === undefined) {
    context.err.write(
      `dmremap: note: ${UNNAMED_MAIN} stands for the main device, whose path is not recorded; name it with --main\n`,
    );
  }
  if (mayBeInUse(report)) {
    context.err.write(
      'dmremap: warning: the set is in use or was not stopped cleanly; export again after a clean stop\n',
    );
  }
  return EXIT_STATUS.done;
}

/** A table is used without anything that could find out later that it gives old data. */
function refuseDoubtful({ spares, maybeOutdatedPages, outOfReachPages }: InspectReport): void {
  const accept = 'if there is none, "dmremap run --force" and a clean stop accept what is there';
  const stale = spares.find(({ isStale }) => isStale);
  if (stale !== undefined) {
    const problem = 'is older than the other spares, so the table would give old data';
    throw new DmRemapError('refused', `${stale.path}: ${problem}; give the current one; ${accept}`);
  }
  if (maybeOutdatedPages > 0) {
    const problem = `the newest version of ${formatCount(maybeOutdatedPages, 'page')} of the map may be lost`;
    throw new DmRemapError('metadata', `${problem}; restore a newer text of the map; ${accept}`);
  }
  if (outOfReachPages > 0) {
    const problem = `${formatCount(outOfReachPages, 'page')} of the map are only on a spare that was not given`;
    throw new DmRemapError('refused', `${problem}; give all spares`);
  }
}

/** What the table says where no path was given. */
const UNNAMED_MAIN = 'MAIN';

function sparePathsOf(report: InspectReport, given: readonly string[]): string[] {
  if (given.length > 0 && given.length !== report.spares.length) {
    const counts = `${formatCount(report.spares.length, 'spare')}, but --spare-path was given ${formatCount(given.length, 'time')}`;
    const message = `the set has ${counts}; give it once for each`;
    throw new DmRemapError('usage', message);
  }
  return report.spares.map(({ path, uuid }, index) => {
    const used = given[index] ?? path;
    if (used !== null) return used;
    const message = `spare ${index} of the set (UUID ${uuid}) was not given; give all spares, or --spare-path for each`;
    throw new DmRemapError('usage', message);
  });
}

export function addExportCommand(program: Command, run: (args: ExportArguments) => Promise<void>): void {
  const command = program
    .command('export')
    .summary('print the map for use without dm-remap')
    .description(
      'Prints the map as a table for dmsetup: every sector of the main device exactly once, healthy stretches from ' +
        'the main device, remapped ones from the spares. The kernel then serves the same contents without dm-remap. ' +
        'Lost blocks become an error target, which gives an I/O error as dm-remap does.\n\n' +
        'Stop dmremap run first. New bad sectors are not remapped by such a table: it is for leaving, and for copying ' +
        'to another disk. dmsetup needs block devices; put image files behind losetup and give those paths.',
    )
    .argument('<spare...>', 'all spare devices or image files of the set')
    .addOption(new Option('--dm-table', 'print a table for dmsetup').default(false))
    .option('--main <path>', 'the main device, as the table is to name it; default: the word MAIN')
    .option(
      '--spare-path <path>',
      "a spare, as the table is to name it, in the set's order; repeat for each",
      repeated,
      [],
    )
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((spares: string[], options: ExportOptions) => {
      const { dmTable, main, sparePath: sparePaths, json } = options;
      return run({ spares, dmTable, main, sparePaths, json });
    });
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'metadata', 'outputClosed'],
    examples: ['dmremap export /dev/sdY --dm-table --main /dev/sdX | dmsetup create rescued'],
  });
}

interface ExportOptions {
  readonly dmTable: boolean;
  readonly main?: string;
  readonly sparePath: string[];
  readonly json: boolean;
}
