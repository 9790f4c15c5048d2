import type { Command, Option } from 'commander';
import { optionText } from './help.js';
import { allCommands } from './man.js';

/** What may follow a command, as a completion script of any shell needs it. */
export interface CompletedCommand {
  /** The words that name it, with blanks between; '' for dmremap itself. */
  readonly row: string;
  readonly words: readonly CompletedWord[];
  readonly options: readonly CompletedOption[];
}

/** A subcommand, or a value that an argument may have. */
export interface CompletedWord {
  readonly word: string;
  /** For people; one line. */
  readonly text: string;
}

export interface CompletedOption {
  /** With `--`. */
  readonly name: string;
  readonly text: string;
  readonly value: 'none' | 'any' | readonly string[];
}

export function completedCommands(program: Command): CompletedCommand[] {
  return allCommands(program).map((command) => ({
    row: rowOf(command),
    words: [
      ...command.commands.map((one) => ({ word: one.name(), text: one.summary() })),
      ...command.registeredArguments.flatMap(({ argChoices, description }) =>
        (argChoices ?? []).map((word) => ({ word, text: description })),
      ),
    ],
    options: command.createHelp().visibleOptions(command).flatMap(completedOption),
  }));
}

function rowOf(command: Command): string {
  const names: string[] = [];
  for (let one: Command = command; one.parent !== null; one = one.parent) names.unshift(one.name());
  return names.join(' ');
}

function completedOption(option: Option): CompletedOption[] {
  const { long, required, argChoices } = option;
  if (long === undefined || long === null) return [];
  return [{ name: long, text: optionText(option), value: required ? (argChoices ?? 'any') : 'none' }];
}
