import { type Command, Option } from 'commander';
import { DmRemapError } from '../../library/errors.js';
import type { CliContext } from '../cli-context.js';
import { EXIT_STATUS } from '../exit-status.js';
import { helpLikeManual } from '../help.js';
import { writeJson } from '../output.js';

export interface MessageArguments {
  readonly set: string;
  readonly sector: number;
  readonly message: string;
  readonly json: boolean;
}

/** `dmremap message`: the answer goes to standard output also where it is an error; the status tells. */
export async function message(args: MessageArguments, context: CliContext): Promise<number> {
  const { client } = await context.running.one(args.set);
  const { text, failure } = await client.message(args.sector, args.message);
  if (args.json) writeJson(context.out, { text, failure });
  else context.out.write(`${text}\n`);
  return failure === null ? EXIT_STATUS.done : EXIT_STATUS[failure];
}

export function addMessageCommand(program: Command, run: (args: MessageArguments) => Promise<void>): void {
  const command = program
    .command('message')
    .summary('send a message of the kernel module to a set, as "dmsetup message"')
    .description(
      'Every message of every version of the module is answered on standard output, as its documents word it; also an ' +
        'answer that is an error, with the exit status that its class has. "dmremap message NAME 0 help" lists them, ' +
        'docs/dmsetup-face.md says what each does.',
    )
    .usage('SET SECTOR MESSAGE... [options]')
    .argument('<set>', 'name, set id, block device, main device or spare')
    .argument('<sector>', 'inside the device; no message here depends on it', sectorOf)
    .argument('<message...>', 'the message, in one argument or several')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((set: string, sector: number, words: string[], { json }: { json: boolean }) =>
      run({ set, sector, message: words.join(' '), json }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'io'],
    examples: ['dmremap message attic 0 ping', 'dmremap message attic 0 remap 123456'],
  });
}

function sectorOf(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new DmRemapError('usage', `sector ${text}: expected a whole number; 0 will do`);
}
