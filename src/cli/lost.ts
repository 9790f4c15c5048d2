import { type Command, Option } from 'commander';
import { formatSectorRanges } from '../base/sector-ranges.js';
import { SECTOR_BYTES } from '../base/units.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { writeJson } from './output.js';

export interface LostArguments {
  readonly set: string;
  readonly json: boolean;
}

/** `dmremap lost`: the sectors of a set at work whose contents are gone. */
export async function lost(args: LostArguments, context: CliContext): Promise<number> {
  const { client, device } = await context.running.one(args.set);
  const remaps = await client.remaps(true);
  const lostSectors = remaps.flatMap((remap) => remap.lostSectors);
  const { setId, logicalBlockBytes } = device;
  if (args.json) writeJson(context.out, { setId, logicalBlockBytes, lostSectors });
  else if (lostSectors.length === 0) context.err.write('dmremap: no logical block is lost\n');
  else {
    const ranges = formatSectorRanges(lostSectors, logicalBlockBytes / SECTOR_BYTES);
    context.out.write(`${ranges.replaceAll(',', '\n')}\n`);
  }
  return EXIT_STATUS.done;
}

export function addLostCommand(program: Command, run: (args: LostArguments) => Promise<void>): void {
  const command = program
    .command('lost')
    .summary('list the sectors whose contents are gone')
    .description(
      'Lists the sectors (512 bytes) of the main device that could not be read and were not written since, as ranges, one a ' +
        'line. Reading them gives an error; writing them makes them good again. For a set that is not served see ' +
        '"dmremap remaps".',
    )
    .argument('<set>', 'name, set id, block device, main device or spare')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((set: string, options: { json: boolean }) => run({ set, json: options.json }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'outputClosed'],
    examples: ['dmremap lost attic'],
  });
}
