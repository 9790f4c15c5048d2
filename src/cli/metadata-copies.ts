import { type Command, Option } from 'commander';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { helpLikeManual } from './help.js';
import { type CheckArguments, statusOf } from './metadata-check.js';
import { copiesTable } from './metadata-text.js';
import { writeJson } from './output.js';
import { withProgress } from './transfer-progress.js';

/** `dmremap metadata copies`: where each copy of the metadata is, and how it is. Reads only. */
export async function listCopies(args: CheckArguments, context: CliContext): Promise<number> {
  const { library, err } = context;
  const report = await withProgress(err, (watch) => library.checkMetadata(args.spares, watch));
  if (report.set === null) throw DmRemapError.of(report.problem!);
  const { state, copies, set } = report;
  if (args.json) writeJson(context.out, { setId: set.setId, state, copies });
  else context.out.write(copiesTable(copies));
  return statusOf(report);
}

export function addCopiesCommand(program: Command, run: (args: CheckArguments) => Promise<void>): void {
  const command = program
    .command('copies')
    .summary('list the copies: where each is, and its state')
    .description(
      'Lists the copies of the metadata of a set: the spare each is on, its first byte and its length there, whether ' +
        'its superblock is the current one, how many pages of the map it has right and wrong, and its text note. ' +
        'Nothing is written. The exit status is that of "dmremap metadata check".',
    )
    .argument('<spare...>', 'all spare devices or image files of the set')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((spares: string[], options: { json: boolean }) => run({ spares, json: options.json }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'metadata', 'damaged', 'outputClosed'],
    examples: ['dmremap metadata copies /dev/sdY'],
  });
}
