import type { Command } from 'commander';

/** The first option of a command line that its command does not have. Commander looks for mandatory ones before. */
export function unknownOption(program: Command, commandLine: readonly string[]): string | undefined {
  let command = program;
  for (const word of commandLine) {
    if (word === '--') return undefined;
    const flag = word.split('=')[0]!;
    if (flag.startsWith('--') && !hasOption(command, flag)) return flag;
    command = command.commands.find((one) => one.name() === word) ?? command;
  }
  return undefined;
}

function hasOption(command: Command, flag: string): boolean {
  return flag === '--help' || command.options.some((option) => option.long === flag);
}
