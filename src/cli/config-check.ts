import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import type { AnswerOf } from './answer-schemas.js';
import type { CliContext } from './cli-context.js';
import { describePlace, loadConfiguration } from './configuration.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { writeAnswer } from './output.js';

export interface ConfigCheckArguments {
  readonly config: string | undefined;
  readonly json: boolean;
}

/** `dmremap config check`: whether the files can be understood; they are not compared with any disk. */
export async function configCheck(
  { config, json }: ConfigCheckArguments,
  { configurationDirectory, out }: CliContext,
): Promise<number> {
  const place = { file: config, directory: configurationDirectory };
  const { files, sets } = await loadConfiguration(place);
  if (json) writeAnswer<AnswerOf<'config check'>>(out, { files, sets: [...sets.keys()] });
  else if (files.length === 0) out.write(`${describePlace(place)}: no configuration, and none is needed\n`);
  else out.write(`${files.join(', ')}: good, ${formatCount(sets.size, 'set')}\n`);
  return EXIT_STATUS.done;
}

/** `dmremap config schema`: the JSON schema of a file, for editors. */
export async function configSchema({ out }: CliContext): Promise<number> {
  const { configurationJsonSchema } = await import('../configuration/configuration-json-schema.js');
  out.write(`${JSON.stringify(configurationJsonSchema(), null, 2)}\n`);
  return EXIT_STATUS.done;
}

export function addConfigCheckCommand(
  parent: Command,
  run: (args: ConfigCheckArguments) => Promise<void>,
): void {
  const command = parent
    .command('check')
    .summary('look for mistakes in the configuration')
    .description('Reads all files, and tells every mistake with file, line and column (status 2).')
    .option('--config <file>', 'this file, instead of /etc/dm-remap/dm-remap.yaml and conf.d')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action(({ config, json }: { config?: string; json: boolean }) => run({ config, json }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage'],
    examples: ['dmremap config check', 'dmremap config check --config attic.yaml'],
  });
}

export function addConfigSchemaCommand(parent: Command, run: () => Promise<void>): void {
  const command = parent
    .command('schema')
    .summary('print the JSON schema of configuration files')
    .description('Prints the JSON schema of configuration files, for editors and other programs.')
    .action(run);
  helpLikeManual(command, {
    exitStatuses: ['done'],
    examples: ['dmremap config schema > dm-remap.schema.json'],
  });
}
