import { Argument, type Command } from 'commander';
import { unreachable } from '../base/assert.js';
import type { CliContext } from './cli-context.js';
import { bashScript } from './completion-bash.js';
import { fishScript } from './completion-fish.js';
import { completedCommands } from './completion-table.js';
import { zshScript } from './completion-zsh.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** `dmremap completion`: a script that completes command lines, made of the table of commands. */
export function completion(shell: Shell, program: Command, context: CliContext): number {
  context.out.write(scriptFor(shell, program));
  return EXIT_STATUS.done;
}

function scriptFor(shell: Shell, program: Command): string {
  const commands = completedCommands(program);
  switch (shell) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      return zshScript(commands);
    case 'fish':
      return fishScript(commands);
    default:
      return unreachable(shell);
  }
}

export function addCompletionCommand(program: Command, action: (shell: Shell) => void): void {
  const command = program
    .command('completion')
    .summary('print a script that completes command lines')
    .description(
      'Prints a script for the shell (bash 4, zsh 5, fish 3, or later) that completes commands, options, their values and ' +
        'file names.',
    )
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action((shell: Shell) => action(shell));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage'],
    examples: [
      'source <(dmremap completion bash)',
      'source <(dmremap completion zsh)                     # after compinit',
      'dmremap completion fish > ~/.config/fish/completions/dmremap.fish',
    ],
  });
}
