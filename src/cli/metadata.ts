import type { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { helpLikeManual } from './help.js';
import { addCheckCommand, checkMetadata } from './metadata-check.js';
import { addCopiesCommand, listCopies } from './metadata-copies.js';
import { addDumpCommand, dumpMetadata } from './metadata-dump.js';
import { addRepairCommand, repairMetadata } from './metadata-repair.js';
import { addRestoreCommand, restoreMetadata } from './metadata-restore.js';

/** `dmremap metadata`: for the person with a damaged spare. */
export function addMetadataCommand(
  program: Command,
  context: CliContext,
  ended: (status: number) => void,
): void {
  const command = program
    .command('metadata')
    .summary('check, dump, restore and repair the metadata on spares')
    .usage('COMMAND [options]')
    .description(
      'Looks at, and mends, what dm-remap keeps on the spares of a set while the set is not in use. check, copies and ' +
        'dump only read; repair and restore show what they would do and ask first. docs/metadata.md is the guide.',
    )
    .helpCommand(false);
  addCheckCommand(command, async (args) => ended(await checkMetadata(args, context)));
  addCopiesCommand(command, async (args) => ended(await listCopies(args, context)));
  addDumpCommand(command, async (args) => ended(await dumpMetadata(args, context)));
  addRestoreCommand(command, async (args) => ended(await restoreMetadata(args, context)));
  addRepairCommand(command, async (args) => ended(await repairMetadata(args, context)));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'bug'],
    examples: ['dmremap metadata check /dev/sdY', 'dmremap metadata dump /dev/sdY >set.txt'],
  });
}
