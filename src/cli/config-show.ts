import { type Command, Option } from 'commander';
import type { ConfiguredSet } from '../configuration/read-configuration.js';
import { formatSettingValue } from '../settings/setting-kind.js';
import { type SettingKey, settingOf } from '../settings/setting-table.js';
import type { CliContext } from './cli-context.js';
import { describePlace, loadConfiguration } from './configuration.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { writeJson } from './output.js';

export interface ConfigShowArguments {
  readonly config: string | undefined;
  readonly json: boolean;
}

/** `dmremap config show`: all files together, as one, with the settings that each set has of them. */
export async function configShow(
  { config, json }: ConfigShowArguments,
  { configurationDirectory, out }: CliContext,
): Promise<number> {
  const place = { file: config, directory: configurationDirectory };
  const { files, sets } = await loadConfiguration(place);
  const all = Object.fromEntries([...sets].map(([name, set]) => [name, plainSet(set)]));
  if (json) writeJson(out, { files, sets: all });
  else if (files.length === 0) out.write(`# ${describePlace(place)}: no configuration\n`);
  else {
    const { stringify } = await import('yaml');
    out.write(`${files.map((file) => `# ${file}\n`).join('')}${stringify({ sets: all }, { lineWidth: 0 })}`);
  }
  return EXIT_STATUS.done;
}

/** As it could stand in a file. */
function plainSet({ where: _, settings, ...set }: ConfiguredSet): Record<string, unknown> {
  const values = Object.entries(settings).map(([key, { value }]) => [
    key,
    formatSettingValue(settingOf(key as SettingKey).kind, value),
  ]);
  return values.length === 0 ? set : { ...set, settings: Object.fromEntries(values) };
}

export function addConfigShowCommand(
  parent: Command,
  run: (args: ConfigShowArguments) => Promise<void>,
): void {
  const command = parent
    .command('show')
    .summary('print the configuration, all files together')
    .description('Prints the sets of all files as one file, each with the settings that it has of them.')
    .option('--config <file>', 'this file, instead of /etc/dm-remap/dm-remap.yaml and conf.d')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action(({ config, json }: { config?: string; json: boolean }) => run({ config, json }));
  helpLikeManual(command, { exitStatuses: ['done', 'usage'], examples: ['dmremap config show --json'] });
}
