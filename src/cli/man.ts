import type { Command } from 'commander';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS, EXIT_STATUS_MEANING } from './exit-status.js';
import { helpLikeManual, notesOf, optionText, synopsis } from './help.js';

export interface ManArguments {
  /** Names of a command, e.g. `boot`, `enable`; empty: dmremap itself. */
  readonly words: readonly string[];
}

/** `dmremap man`: the manual page of a command, made of what its --help says, for man(1). */
export function man({ words }: ManArguments, program: Command, context: CliContext): number {
  context.out.write(manualPageOf(commandNamed(words, program), context.version));
  return EXIT_STATUS.done;
}

/** Of all commands with subcommands of theirs, depth first. */
export function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** The one that these words lead to from another; that one itself, without any. */
export function commandNamed(words: readonly string[], from: Command): Command {
  let command = from;
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) throw new DmRemapError('usage', `"${words.join(' ')}" is no command; see --help`);
    command = next;
  }
  return command;
}

/** In the macros of man(7). */
function manualPageOf(command: Command, version: string): string {
  const { exitStatuses, examples } = notesOf(command);
  const helper = command.createHelp();
  const name = synopsis(command).split(` ${command.usage()}`)[0]!;
  const title = name.replaceAll(' ', '-');
  const summary = command.summary() || 'keeps a disk with bad sectors usable';
  const options = helper.visibleOptions(command).map((one) => entry(one.flags, optionText(one)));
  const commands = helper
    .visibleCommands(command)
    .map((one) => entry(helper.subcommandTerm(one), `${one.summary()}.`));
  const statuses = exitStatuses.map((one) => entry(String(EXIT_STATUS[one]), EXIT_STATUS_MEANING[one]));
  return [
    `.TH ${title.toUpperCase()} 8 "" "dm-remap ${plain(version)}" "System administration"\n`,
    section('NAME', `${plain(title)} \\- ${plain(summary)}\n`),
    section('SYNOPSIS', `.B ${plain(synopsis(command))}\n`),
    section('DESCRIPTION', command.description().split('\n\n').map(paragraph).join('.PP\n')),
    section('COMMANDS', commands.join('')),
    section('OPTIONS', options.join('')),
    section('EXIT STATUS', statuses.join('')),
    section('EXAMPLES', examples.length === 0 ? '' : `.nf\n${examples.map(paragraph).join('')}.fi\n`),
  ].join('');
}

function section(title: string, body: string): string {
  return body === '' ? '' : `.SH ${title}\n${body}`;
}

function entry(term: string, text: string): string {
  return `.TP\n.B ${plain(term)}\n${paragraph(text)}`;
}

/** A line that begins with a dot or a quote would be a request. */
function paragraph(text: string): string {
  return `\\&${plain(text)}\n`;
}

/** What roff would interpret, as it is: groff_char(7). */
function plain(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('"', '\\(dq');
}

export function addManCommand(program: Command, action: (args: ManArguments) => void): void {
  const command = program
    .command('man')
    .summary('print the manual page of a command')
    .description('Prints the manual page of a command, or of dmremap itself, in the form that man(1) reads.')
    .argument('[command...]', 'the words of the command; by itself dmremap')
    .action((words: string[]) => action({ words }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage'],
    examples: ['dmremap man assemble | man -l -', 'dmremap man boot enable > dmremap-boot-enable.8'],
  });
}
