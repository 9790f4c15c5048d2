import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import type { CliContext } from './cli-context.js';
import { writeDumpFile } from './dump-file.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { writeJson } from './output.js';
import { withProgress } from './transfer-progress.js';

export interface DumpArguments {
  readonly spares: readonly string[];
  /** A file; left out, standard output. */
  readonly output: string | undefined;
  readonly json: boolean;
}

/** `dmremap metadata dump`: the metadata as text that can be edited and restored. Reads only. */
export async function dumpMetadata(args: DumpArguments, context: CliContext): Promise<number> {
  const { spares, output, json } = args;
  const { library, err } = context;
  const dump = await withProgress(err, (watch) => library.dumpMetadata(spares, watch));
  const { setId, lostPages, pieces } = dump;
  if (output !== undefined) await writeDumpFile(output, pieces);
  if (json) {
    const where = output === undefined ? { text: [...pieces].join('') } : { file: output };
    writeJson(context.out, { setId, lostPages, ...where });
  } else if (output === undefined) {
    for (const piece of pieces) context.out.write(piece);
  }
  if (lostPages.length > 0) {
    const count = formatCount(lostPages.length, 'page');
    context.err.write(
      `dmremap: warning: ${count} of the map can't be read; the dump says which, and is not complete\n`,
    );
  }
  return EXIT_STATUS.done;
}

export function addDumpCommand(program: Command, run: (args: DumpArguments) => Promise<void>): void {
  const command = program
    .command('dump')
    .summary('print the metadata as text that can be edited and restored')
    .description(
      'Prints what the metadata says: the set, its main device, its spares and copies, and one line for each unit that ' +
        'moved, with its lost sectors. A person can read and change it; "dmremap metadata restore" takes it back. Keep ' +
        'one somewhere else: with it, a spare whose metadata is gone altogether gives its data back.',
    )
    .argument('<spare...>', 'all spare devices or image files of the set')
    .option('--output <file>', 'write it to a file, which appears when it is whole; only a dump is replaced')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((spares: string[], options: { output?: string; json: boolean }) =>
      run({ spares, output: options.output, json: options.json }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'metadata', 'io', 'outputClosed'],
    examples: [
      'dmremap metadata dump /dev/sdY >set.txt',
      'dmremap metadata dump /dev/sdY --output /root/set.txt',
    ],
  });
}
