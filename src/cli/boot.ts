import type { Command } from 'commander';
import { addBootDisableCommand, bootDisable } from './boot-disable.js';
import { addBootEnableCommand, bootEnable } from './boot-enable.js';
import { addBootShowCommand, bootShow } from './boot-show.js';
import type { CliContext } from './cli-context.js';
import { helpLikeManual } from './help.js';

/** `dmremap boot`: what is done about sets when the machine starts. */
export function addBootCommand(program: Command, context: CliContext, ended: (status: number) => void): void {
  const command = program
    .command('boot')
    .usage('COMMAND [options]')
    .summary('have sets started by systemd when the machine boots')
    .description(
      'Writes what systemd and udev need to start a set before file systems are mounted, to give its block device ' +
        'the stable name /dev/dm-remap/NAME, and to keep other programs off its disks. docs/boot.md explains it, with ' +
        'an example from the first command to the entry in /etc/fstab.',
    )
    .helpCommand(false);
  addBootEnableCommand(command, async (args) => ended(await bootEnable(args, context)));
  addBootDisableCommand(command, async (args) => ended(await bootDisable(args, context)));
  addBootShowCommand(command, async (args) => ended(await bootShow(args, context)));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'bug'],
    examples: ['dmremap boot enable --help', 'dmremap boot show'],
  });
}
