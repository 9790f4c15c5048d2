import { Command, CommanderError } from 'commander';
import { DmRemapError } from '../library/errors.js';
import { addAssembleCommand, assemble } from './assemble.js';
import { addBootCommand } from './boot.js';
import type { CliContext } from './cli-context.js';
import { addCompletionCommand, completion } from './completion.js';
import { addConfigCommand } from './config.js';
import { addDmsetupCommands } from './dmsetup/dmsetup-commands.js';
import { addEvacuateCommand, evacuate } from './evacuate.js';
import { addEventsCommand, events } from './events.js';
import { EXIT_STATUS } from './exit-status.js';
import { addExportCommand, exportMap } from './export.js';
import { addForgetCommand, forget } from './forget.js';
import { addFormatCommand, format } from './format.js';
import { addGetCommand, get } from './get.js';
import { guardedRun } from './guarded-run.js';
import { helpLikeManual } from './help.js';
import { addHelpCommands } from './help-command.js';
import { addImportCommand, importModuleSpare } from './import.js';
import { addInspectCommand, inspect } from './inspect.js';
import { addJobCommand } from './job.js';
import { addJobsCommand, jobs } from './jobs.js';
import { addLeaveCommand, leave } from './leave.js';
import { addListCommand, list } from './list.js';
import { addLostCommand, lost } from './lost.js';
import { addManCommand, man } from './man.js';
import { addMetadataCommand } from './metadata.js';
import { addMigrateCommand, migrate } from './migrate.js';
import { refuseOptionTwice } from './refuse-option-twice.js';
import { addRemapCommand } from './remap.js';
import { addRemapsCommand, remaps } from './remaps.js';
import { addReplaceMainCommand, replaceMain } from './replace-main.js';
import { addRunCommand } from './run-command.js';
import { addScanCommand, scan } from './scan.js';
import { addSchemaCommand, schema } from './schema.js';
import { addSetCommand, set } from './set.js';
import { addSpareCommand } from './spare.js';
import { addStatusCommand, status } from './status.js';
import { addStopCommand, stop } from './stop.js';
import { unknownOption } from './unknown-option.js';

/**
 * Runs one command line (without the program's name) and answers its exit status. Rejects with `DmRemapError` for
 * every failure that has a name, wrong arguments among them.
 */
export async function runCommandLine(commandLine: readonly string[], context: CliContext): Promise<number> {
  let exitStatus: number = EXIT_STATUS.done;
  const program = programFor(context, (ended) => {
    exitStatus = ended;
  });
  try {
    await program.parseAsync([...commandLine], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help or version that was asked for ends with 0; help shown for want of a command is a mistake.
    if (error.exitCode !== 0) throw new DmRemapError('usage', usageMessage(error, program, commandLine));
  }
  return exitStatus;
}

function programFor(context: CliContext, ended: (status: number) => void): Command {
  const program = new Command('dmremap')
    .description(
      'Keeps a disk with bad sectors usable: one block device above it, failing sectors moved to a spare device, the ' +
        'map kept on the spare. The device is served as a block device (ublk) or over NBD.',
    )
    .usage('COMMAND [options]')
    .version(`dmremap ${context.version}`, '--version', 'print the version')
    .helpOption('--help', 'print this text')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.out.write(text),
      // Errors are thrown and written in one place, in one form.
      writeErr: () => {},
      getOutHelpWidth: () => context.out.columns,
      getOutHasColors: () => context.out.hasColour,
    });
  addFormatCommand(program, async (args) => ended(await format(args, context)));
  addRunCommand(program, async (args) => ended(await guardedRun(args, context)));
  addScanCommand(program, async (args) => ended(await scan(args, context)));
  addAssembleCommand(program, async (args) => ended(await assemble(args, context)));
  addListCommand(program, async (args) => ended(await list(args, context)));
  addStatusCommand(program, async (args) => ended(await status(args, context)));
  addEventsCommand(program, async (args) => ended(await events(args, context)));
  addLostCommand(program, async (args) => ended(await lost(args, context)));
  addGetCommand(program, async (args) => ended(await get(args, context)));
  addSetCommand(program, async (args) => ended(await set(args, context)));
  addStopCommand(program, async (args) => ended(await stop(args, context)));
  addImportCommand(program, async (args) => ended(await importModuleSpare(args, context)));
  addInspectCommand(program, async (args) => ended(await inspect(args, context)));
  addRemapsCommand(program, async (args) => ended(await remaps(args, context)));
  addRemapCommand(program, context, ended);
  addSpareCommand(program, context, ended);
  addMigrateCommand(program, async (args) => ended(await migrate(args, context)));
  addJobsCommand(program, async (args) => ended(await jobs(args, context)));
  addJobCommand(program, context, ended);
  addEvacuateCommand(program, async (args) => ended(await evacuate(args, context)));
  addReplaceMainCommand(program, async (args) => ended(await replaceMain(args, context)));
  addLeaveCommand(program, async (args) => ended(await leave(args, context)));
  addExportCommand(program, async (args) => ended(await exportMap(args, context)));
  addMetadataCommand(program, context, ended);
  addBootCommand(program, context, ended);
  addConfigCommand(program, context, ended);
  addDmsetupCommands(program, context, ended);
  addForgetCommand(program, async (args) => ended(await forget(args, context)));
  addSchemaCommand(program, async (args) => ended(await schema(args, context)));
  addManCommand(program, (args) => ended(man(args, program, context)));
  addCompletionCommand(program, (shell) => ended(completion(shell, program, context)));
  addHelpCommands(program, context.out);
  refuseOptionTwice(program);
  return helpLikeManual(program, {
    exitStatuses: ['done', 'usage', 'bug'],
    examples: [
      'dmremap format --help',
      'dmremap run --main disk.img --spare spare.img --nbd nbd://127.0.0.1:10809/',
    ],
  });
}

function usageMessage(error: CommanderError, program: Command, commandLine: readonly string[]): string {
  if (error.code === 'commander.help') return 'say what to do; see --help for the commands';
  // "--man disk.img" is a slip of the pen, not the lack of --main.
  const unknown =
    error.code === 'commander.missingMandatoryOptionValue' ? unknownOption(program, commandLine) : undefined;
  if (unknown !== undefined)
    return `unknown option '${unknown}', and ${inOneSentence(error.message)}; see --help`;
  return `${inOneSentence(error.message)}; see --help`;
}

/** Commander's messages are one sentence or two. */
function inOneSentence(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/\s+/g, ' ')
    .replace(/ is invalid( for argument '[a-z-]+')?\. Allowed/, ': allowed')
    .replace('(Did you mean', '(did you mean')
    .replace(' is invalid. ', ': ')
    .replace('. Expected ', ': expected ')
    .replace(/\.$/, '');
}
