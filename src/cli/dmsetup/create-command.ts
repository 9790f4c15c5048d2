import { type Command, InvalidArgumentError, Option } from 'commander';
import { helpLikeManual } from '../help.js';
import { repeated } from '../repeated-option.js';
import { parseSize } from '../sizes.js';
import type { CreateArguments } from './create.js';

export function addCreateCommand(program: Command, run: (args: CreateArguments) => Promise<void>): void {
  const command = program
    .command('create')
    .summary('make a set from a table of the kernel module, as "dmsetup create"')
    .description(
      'Takes a table with one line, "0 SECTORS TARGET ARGUMENTS". TARGET is remap (MAIN SPARE SPARE_START SPARE_LEN), ' +
        'dm-remap-v4, dm-remap-v4-real or dm-remap (MAIN SPARE). Starts a process that serves the set and outlives the ' +
        'command, waits until it does, and prints nothing.\n\n' +
        'A blank spare is formatted without a question; a spare of a set is opened again, with all that was moved; ' +
        'anything else on a spare is refused. The spare is used whole, whatever SPARE_LEN says. The set is served as a ' +
        'block device (ublk), or with --nbd over NBD. The log of the process is NAME.log in the run directory.',
    )
    .usage('NAME [TABLE-FILE] [options]')
    .argument('<name>', 'of the set')
    .argument('[table-file]', 'has the table; by itself standard input')
    .option('--table <table>', 'the table itself')
    .option('--nbd <uri>', 'serve there instead of as a block device')
    .option('--unit <size>', 'what is moved as a whole, if the spare is formatted; 4k by itself', unitOf)
    .addOption(
      new Option('--whole-spare', 'SPARE_START may be above 0, although the spare is used whole').default(
        false,
      ),
    )
    .option(
      '--run-option <option>',
      'one more for "dmremap run", as --run-option=--on-gone=hold',
      repeated,
      [],
    )
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .addOption(new Option('-v, --verbose', 'print where it is served').default(false))
    .action((name: string, file: string | undefined, options: CommandOptions) => {
      const { table, nbd, unit: unitBytes, wholeSpare, runOption: runOptions, verbose, json } = options;
      return run({ name, file, table, nbd, unitBytes, wholeSpare, runOptions, verbose, json });
    });
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'metadata', 'io', 'system'],
    examples: [
      'dmremap create attic --table "0 $(blockdev --getsz /dev/sdX) dm-remap-v4 /dev/sdX /dev/sdY1"',
      'echo "0 16384 remap disk.img spare.img 0 1000" | dmremap create attic --nbd nbd://127.0.0.1:10809/',
    ],
  });
}

interface CommandOptions {
  readonly table?: string;
  readonly nbd?: string;
  readonly unit?: number;
  readonly wholeSpare: boolean;
  readonly runOption: string[];
  readonly verbose: boolean;
  readonly json: boolean;
}

function unitOf(text: string): number {
  const size = parseSize(text);
  if (!size.ok) throw new InvalidArgumentError(size.error);
  return size.value;
}
