import { type Command, Option } from 'commander';
import type { AnswerOf } from './answer-schemas.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { healthOf } from './health.js';
import { helpLikeManual } from './help.js';
import { inspectText } from './inspect-text.js';
import { writeAnswer } from './output.js';

export interface InspectArguments {
  readonly spares: readonly string[];
  readonly json: boolean;
}

/** `dmremap inspect`: what the metadata on the spares says, and how good it is. Reads only. */
export async function inspect(args: InspectArguments, context: CliContext): Promise<number> {
  const report = await context.library.inspectSpares(args.spares);
  const health = healthOf(report);
  if (args.json)
    writeAnswer<AnswerOf<'inspect'>>(context.out, {
      state: health.state,
      findings: health.findings,
      ...report,
    });
  else context.out.write(inspectText(report, health, context.out));
  return EXIT_STATUS.done;
}

export function addInspectCommand(program: Command, run: (args: InspectArguments) => Promise<void>): void {
  const command = program
    .command('inspect')
    .summary('show what the metadata on spare devices says')
    .description(
      'Reads the metadata on the spares of a set, which need not be in use, and says how the set is doing: its ' +
        'state, what that means, what to do; every copy of the metadata, how much spare is left, and what the ' +
        'device has met so far. Nothing is written. All spares of the set have to be given.',
    )
    .argument('<spare...>', 'spare devices or image files')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((spares: string[], options: { json: boolean }) => run({ spares, json: options.json }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'metadata'],
    examples: ['dmremap inspect /dev/sdY', 'dmremap inspect /dev/sdY --json | jq .state'],
  });
}
