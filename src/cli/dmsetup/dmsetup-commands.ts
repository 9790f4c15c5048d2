import type { Command } from 'commander';
import type { CliContext } from '../cli-context.js';
import { create } from './create.js';
import { addCreateCommand } from './create-command.js';
import { addInfoCommand, info } from './info.js';
import { addLsCommand, ls } from './ls.js';
import { addMessageCommand, message } from './message.js';
import { addRemoveCommand, remove } from './remove.js';
import { addResumeCommand, addSuspendCommand, resume, suspend } from './suspend.js';
import { addTableCommand, table } from './table.js';
import { addTargetsCommand, targets } from './targets.js';
import { addWaitCommand, wait } from './wait.js';

/** The commands of dmsetup, for people and scripts that know the kernel module (docs/dmsetup-face.md). */
export function addDmsetupCommands(
  program: Command,
  context: CliContext,
  ended: (status: number) => void,
): void {
  addCreateCommand(program, async (args) => ended(await create(args, context)));
  addLsCommand(program, async (args) => ended(await ls(args, context)));
  addInfoCommand(program, async (args) => ended(await info(args, context)));
  addTargetsCommand(program, async (args) => ended(await targets(args, context)));
  addTableCommand(program, async (args) => ended(await table(args, context)));
  addMessageCommand(program, async (args) => ended(await message(args, context)));
  addSuspendCommand(program, async (args) => ended(await suspend(args, context)));
  addResumeCommand(program, async (args) => ended(await resume(args, context)));
  addWaitCommand(program, async (args) => ended(await wait(args, context)));
  addRemoveCommand(program, async (args) => ended(await remove(args, context)));
}
