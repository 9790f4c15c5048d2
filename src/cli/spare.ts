import type { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { helpLikeManual } from './help.js';
import { addMigrateSpareCommand, migrate } from './migrate.js';
import { addAddSpareCommand, addSpare } from './spare-add.js';
import { addRemoveSpareCommand, removeSpare } from './spare-remove.js';

/** `dmremap spare`: more room for bad sectors, or other devices for it. */
export function addSpareCommand(
  program: Command,
  context: CliContext,
  ended: (status: number) => void,
): void {
  const group = program
    .command('spare')
    .summary('the spares of a set')
    .description('More room for bad sectors, or other devices for it.');
  helpLikeManual(group, { exitStatuses: ['done', 'usage'], examples: ['dmremap spare add --help'] });
  addAddSpareCommand(group, async (args) => ended(await addSpare(args, context)));
  addRemoveSpareCommand(group, async (args) => ended(await removeSpare(args, context)));
  addMigrateSpareCommand(group, async (args) => ended(await migrate(args, context)));
}
