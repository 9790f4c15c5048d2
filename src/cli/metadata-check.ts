import { type Command, Option } from 'commander';
import type { CheckReport } from '../library/metadata-types.js';
import type { AnswerOf } from './answer-schemas.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { checkText } from './metadata-text.js';
import { writeAnswer } from './output.js';
import { withProgress } from './transfer-progress.js';

export interface CheckArguments {
  readonly spares: readonly string[];
  readonly json: boolean;
}

/** `dmremap metadata check`: every copy, superblock and page; what is wrong and what would be done. Reads only. */
export async function checkMetadata(args: CheckArguments, context: CliContext): Promise<number> {
  const { library, err } = context;
  const report = await withProgress(err, (watch) => library.checkMetadata(args.spares, watch));
  if (args.json) writeAnswer<AnswerOf<'metadata check'>>(context.out, { ...report });
  else context.out.write(checkText(report, context.out));
  return statusOf(report);
}

/** Of a set that was looked at. */
export function statusOf({ state, problem }: CheckReport): number {
  if (problem !== null) return EXIT_STATUS[problem.failure];
  return state === 'clean' ? EXIT_STATUS.done : EXIT_STATUS.damaged;
}

export function addCheckCommand(program: Command, run: (args: CheckArguments) => Promise<void>): void {
  const command = program
    .command('check')
    .summary('look at every copy, superblock and page')
    .description(
      'Reads every copy of the metadata on the spares of a set, both versions of every block, and says which are ' +
        'damaged, out of date or unreadable, and what the next start, or "dmremap metadata repair", does about it. ' +
        'Nothing is written. A set that is in use, or was not stopped cleanly, may have a version that is just being ' +
        'written: that is damage, too, and mended by the next start.',
    )
    .argument('<spare...>', 'all spare devices or image files of the set')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((spares: string[], options: { json: boolean }) => run({ spares, json: options.json }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'metadata', 'damaged', 'outputClosed'],
    examples: [
      'dmremap metadata check /dev/sdY',
      'dmremap metadata check /dev/sdY --json | jq ".findings[] | .state"',
    ],
  });
}
