import { InvalidArgumentError } from 'commander';
import { problemOfSetName } from '../base/set-name.js';

/** `--name`, wherever a set is given one. */
export function nameOption(text: string): string {
  const problem = problemOfSetName(text);
  if (problem !== undefined) throw new InvalidArgumentError(problem);
  return text;
}
