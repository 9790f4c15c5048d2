import type { Command, Option } from 'commander';
import { DmRemapError } from '../library/errors.js';
import { allCommands } from './man.js';
import { repeated } from './repeated-option.js';

/**
 * Has a command, and those below it, refuse an option with a value that is given twice: Commander would take the last one
 * and say nothing. Options that collect their values stay as they are; a flag says the same the second time.
 */
export function refuseOptionTwice(program: Command): void {
  for (const command of allCommands(program))
    for (const option of command.options.filter(takesOneValue)) refuseTwice(command, option);
}

function takesOneValue({ required, optional, variadic, parseArg }: Option): boolean {
  return (required || optional) && !variadic && parseArg !== repeated;
}

function refuseTwice(command: Command, option: Option): void {
  let isGiven = false;
  command.on(`option:${option.name()}`, () => {
    if (isGiven) throw new DmRemapError('usage', `${option.long}: is given twice; give it once`);
    isGiven = true;
  });
}
