import type { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { addConfigCheckCommand, addConfigSchemaCommand, configCheck, configSchema } from './config-check.js';
import { addConfigShowCommand, configShow } from './config-show.js';
import { helpLikeManual } from './help.js';

/** `dmremap config`: the configuration files, which nothing needs. */
export function addConfigCommand(
  program: Command,
  context: CliContext,
  ended: (status: number) => void,
): void {
  const group = program
    .command('config')
    .summary('the configuration files')
    .description(
      'Sets can be described in /etc/dm-remap/dm-remap.yaml and /etc/dm-remap/conf.d/*.yaml: their devices, where they are ' +
        'served, their settings (docs/configuration.md). "dmremap run NAME" and "dmremap boot" use that; nothing needs it.',
    );
  helpLikeManual(group, { exitStatuses: ['done', 'usage'], examples: ['dmremap config check'] });
  addConfigCheckCommand(group, async (args) => ended(await configCheck(args, context)));
  addConfigShowCommand(group, async (args) => ended(await configShow(args, context)));
  addConfigSchemaCommand(group, async () => ended(await configSchema(context)));
}
