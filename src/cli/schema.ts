import type { Command } from 'commander';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';

export interface SchemaArguments {
  /** The words of a command; none: list those that have a schema. */
  readonly words: readonly string[];
}

/** `dmremap schema`: the JSON schema of what a command answers with `--json`. */
export async function schema({ words }: SchemaArguments, { out }: CliContext): Promise<number> {
  const { z } = await import('zod');
  const { ANSWER_SCHEMAS } = await import('./answer-schemas.js');
  const schemas: Readonly<Record<string, (typeof ANSWER_SCHEMAS)[keyof typeof ANSWER_SCHEMAS]>> =
    ANSWER_SCHEMAS;
  if (words.length === 0) {
    out.write(
      Object.keys(schemas)
        .map((name) => `${name}\n`)
        .join(''),
    );
    return EXIT_STATUS.done;
  }
  const wanted = words.join(' ');
  const found = schemas[wanted];
  if (found === undefined)
    throw new DmRemapError(
      'usage',
      `${wanted}: no schema of a command; there is one of ${Object.keys(schemas).join(', ')}`,
    );
  out.write(`${JSON.stringify(z.toJSONSchema(found), null, 2)}\n`);
  return EXIT_STATUS.done;
}

export function addSchemaCommand(program: Command, run: (args: SchemaArguments) => Promise<void>): void {
  const command = program
    .command('schema')
    .summary('print the JSON schema of what a command answers with --json')
    .description(
      'Prints the JSON schema of what a command that does something, or looks at devices, answers with --json; by itself ' +
        'the names of those commands. What a set at work tells (status, events, remap and others) is described by its control socket, at ' +
        '/v1/openapi.json; configuration files by "dmremap config schema".',
    )
    .argument('[command...]', 'the words of the command')
    .action((words: string[]) => run({ words }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage'],
    examples: ['dmremap schema', 'dmremap schema config check'],
  });
}
