import { type Command, Option } from 'commander';
import type { CliContext } from '../cli-context.js';
import { EXIT_STATUS } from '../exit-status.js';
import { helpLikeManual } from '../help.js';
import { writeJson } from '../output.js';

export interface TargetsArguments {
  readonly json: boolean;
}

/** `dmremap targets`: what `dmremap create` takes, as `dmsetup targets` lists what the kernel has. */
export async function targets({ json }: TargetsArguments, { out }: CliContext): Promise<number> {
  if (json) writeJson(out, { targets: TARGETS.map(([name, version]) => ({ name, version })) });
  else for (const [name, version] of TARGETS) out.write(`${name.padEnd(NAME_COLUMNS)} v${version}\n`);
  return EXIT_STATUS.done;
}

/** With the version of the module whose tables and messages each one has. */
const TARGETS = [
  ['remap', '3.0.0'],
  ['dm-remap-v4', '4.0.0'],
  ['dm-remap-v4-real', '4.0.0'],
  ['dm-remap', '4.0.0'],
] as const;

const NAME_COLUMNS = 16;

export function addTargetsCommand(program: Command, run: (args: TargetsArguments) => Promise<void>): void {
  const command = program
    .command('targets')
    .summary('list the targets of tables, as "dmsetup targets"')
    .description(
      'The targets of the kernel module that "dmremap create" takes, for scripts that look whether the module is there.',
    )
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((options: TargetsArguments) => run({ json: options.json }));
  helpLikeManual(command, { exitStatuses: ['done'], examples: ['dmremap targets | grep dm-remap-v4'] });
}
