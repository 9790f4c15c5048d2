import type { Command, Help, Option } from 'commander';
import { EXIT_STATUS, EXIT_STATUS_MEANING, type ExitStatusName } from './exit-status.js';
import { wrap } from './table.js';

/** What a command's help says beyond its arguments and options. */
export interface HelpNotes {
  /** Which exit statuses it can end with. */
  readonly exitStatuses: readonly ExitStatusName[];
  readonly examples: readonly string[];
}

/** Makes `--help` of this command read like a manual page: synopsis, description, options, exit status, examples. */
export function helpLikeManual(command: Command, notes: HelpNotes): Command {
  NOTES.set(command, notes);
  return command.configureHelp({ formatHelp: (_, helper) => manualPage(command, helper, notes) });
}

/** As `helpLikeManual` was given them. */
export function notesOf(command: Command): HelpNotes {
  return NOTES.get(command) ?? { exitStatuses: [], examples: [] };
}

const NOTES = new WeakMap<Command, HelpNotes>();

function manualPage(command: Command, helper: Help, notes: HelpNotes): string {
  const columns = Math.min(helper.helpWidth ?? MAX_COLUMNS, MAX_COLUMNS);
  const commands = helper
    .visibleCommands(command)
    .map((one) => entry(helper.subcommandTerm(one), one.summary(), columns));
  const options = helper.visibleOptions(command).map((one) => entry(one.flags, optionText(one), columns));
  const statuses = notes.exitStatuses.map((name) => `${EXIT_STATUS[name]}  ${EXIT_STATUS_MEANING[name]}`);
  const sections: [string, readonly string[]][] = [
    ['SYNOPSIS', [synopsis(command)]],
    ['DESCRIPTION', description(command, columns)],
    ['COMMANDS', commands.flat()],
    ['OPTIONS', options.flat()],
    ['EXIT STATUS', statuses.flatMap((text) => hanging(text, columns))],
    ['EXAMPLES', notes.examples],
  ];
  return sections
    .filter(([, lines]) => lines.length > 0)
    .map(
      ([title, lines]) =>
        `${title}\n${lines.map((line) => `${line === '' ? '' : INDENT}${line}\n`).join('')}`,
    )
    .join('\n');
}

/** `dmremap boot enable NAME [options]` */
export function synopsis(command: Command): string {
  const names: string[] = [];
  for (let one: Command | null = command; one !== null; one = one.parent) names.unshift(one.name());
  return `${names.join(' ')} ${command.usage()}`;
}

/** Paragraphs are separated by empty lines. */
function description(command: Command, columns: number): string[] {
  const paragraphs = command.description().split('\n\n');
  return paragraphs.flatMap((text, index) => [
    ...(index === 0 ? [] : ['']),
    ...wrap(text, columns - INDENT.length),
  ]);
}

function entry(term: string, text: string, columns: number): string[] {
  const deeper = ' '.repeat(TEXT_INDENT);
  const lines = wrap(text, columns - INDENT.length - TEXT_INDENT).map((line) => deeper + line);
  if (term.length + 2 > TEXT_INDENT) return [term, ...lines];
  return [term.padEnd(TEXT_INDENT) + lines[0]!.slice(TEXT_INDENT), ...lines.slice(1)];
}

function hanging(text: string, columns: number): string[] {
  return wrap(text, columns - INDENT.length - 4).map((line, index) => (index === 0 ? line : `    ${line}`));
}

/** What it is for, its choices and its default. */
export function optionText(option: Option): string {
  const choices = option.argChoices === undefined ? '' : ` One of: ${option.argChoices.join(', ')}.`;
  const isPlain = typeof option.defaultValue === 'string' || typeof option.defaultValue === 'number';
  const standard = isPlain ? ` Default: ${option.defaultValue}.` : '';
  const facts = `${choices}${standard}`;
  return facts === '' ? option.description : `${option.description}.${facts}`;
}

const INDENT = '    ';
const TEXT_INDENT = 24;
const MAX_COLUMNS = 100;
