import { createInterface } from 'node:readline';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { writeJson } from './output.js';

/**
 * True if a person at the terminal typed YES in capitals. Without a terminal there is nobody to ask: a usage error,
 * so that a script states its consent with `--yes`.
 */
export async function askConsent(context: CliContext): Promise<boolean> {
  if (context.ask === undefined) {
    throw new DmRemapError(
      'usage',
      'no terminal to ask for confirmation on; add --yes to go on without a question',
    );
  }
  return (await context.ask('Type YES to continue: ')).trim() === 'YES';
}

/** The end of a command that the person did not agree to: says so, for programs too, and answers the exit status. */
export function declined(context: CliContext, json: boolean): number {
  const message = 'nothing was written';
  context.err.write(`dmremap: ${message}\n`);
  if (json) writeJson(context.out, { error: { failure: 'declined', status: EXIT_STATUS.declined, message } });
  return EXIT_STATUS.declined;
}

/** Asks on the terminal, through standard error; end of input counts as an empty answer. */
export function askOnTerminal(input: NodeJS.ReadStream, output: NodeJS.WriteStream): CliContext['ask'] {
  if (!input.isTTY || !output.isTTY) return undefined;
  return (question) =>
    new Promise((resolve) => {
      const reader = createInterface({ input, output });
      reader.once('close', () => resolve(''));
      reader.question(question, (answer) => {
        resolve(answer);
        reader.close();
      });
    });
}
