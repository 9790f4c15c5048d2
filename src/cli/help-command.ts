import type { Command } from 'commander';
import { helpLikeManual } from './help.js';
import { allCommands, commandNamed } from './man.js';
import type { Output } from './output.js';

/** `dmremap help` and the `help` of each group: what `--help` of the named command prints. */
export function addHelpCommands(program: Command, out: Output): void {
  const groups = allCommands(program).filter(({ commands }) => commands.length > 0);
  for (const group of groups) addHelpCommand(group, out);
}

function addHelpCommand(group: Command, out: Output): void {
  // Commander's own knows one word, and says nothing of one that is no command.
  const command = group
    .helpCommand(false)
    .command('help')
    .summary('what --help of a command prints')
    .description('Prints what --help of a command prints.')
    .argument('[command...]', 'the words of the command; by itself the one before "help"')
    .action((words: string[]) => out.write(commandNamed(words, group).helpInformation()));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage'],
    examples: ['dmremap help format', 'dmremap help spare add'],
  });
}
