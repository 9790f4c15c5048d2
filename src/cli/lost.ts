import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import { formatSectorRanges } from '../base/sector-ranges.js';
import { SECTOR_BYTES } from '../base/units.js';
import type { DeviceResource } from '../control/schema/device.js';
import { statIfThere } from '../kernel/stat-if-there.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { resultOf } from './file-result.js';
import { helpLikeManual } from './help.js';
import { findLostFiles } from './lost-files.js';
import { writeJson } from './output.js';

export interface LostArguments {
  readonly set: string;
  /** Name the files that they belong to. */
  readonly files: boolean;
  /** Where the protected device can be read; undefined: its own block device. */
  readonly device: string | undefined;
  readonly json: boolean;
}

/** `dmremap lost`: the sectors of a set at work whose contents are gone. */
export async function lost(args: LostArguments, context: CliContext): Promise<number> {
  const { client, device } = await context.running.one(args.set);
  const remaps = await client.remaps(true);
  const lostSectors = remaps.flatMap((remap) => remap.lostSectors);
  const { setId, logicalBlockBytes } = device;
  if (args.files && lostSectors.length > 0) return showFiles(args, device, lostSectors, context);
  if (args.json)
    writeJson(context.out, {
      setId,
      logicalBlockBytes,
      lostSectors,
      ...(args.files && { files: [], sectorsOfNoFile: [] }),
    });
  else if (lostSectors.length === 0) context.err.write('dmremap: no logical block is lost\n');
  else {
    const ranges = formatSectorRanges(lostSectors, logicalBlockBytes / SECTOR_BYTES);
    context.out.write(`${ranges.replaceAll(',', '\n')}\n`);
  }
  return EXIT_STATUS.done;
}

function showFiles(
  args: LostArguments,
  { setId, logicalBlockBytes, endpoints }: DeviceResource,
  lostSectors: readonly number[],
  { machine, out }: CliContext,
): number {
  const path = args.device ?? endpoints.find(({ kind }) => kind === 'ublk')?.address;
  if (path === undefined) {
    const reason = 'is served over NBD only; attach it (nbd-client, nbdfuse) and say where: --device PATH';
    throw new DmRemapError('usage', `${args.set}: ${reason}`);
  }
  if (statIfThere(path) === undefined)
    throw new DmRemapError('device', `${path}: no such device or file; check the path`);
  const found = resultOf(findLostFiles(path, lostSectors, machine));
  if (args.json) {
    writeJson(out, { setId, logicalBlockBytes, lostSectors, ...found });
    return EXIT_STATUS.done;
  }
  const blockCount = (sectors: readonly number[]): string => formatCount(sectors.length, 'lost block');
  for (const { inode, path: name, sectors } of found.files)
    out.write(`${name ?? `inode ${inode}, which has no name`}: ${blockCount(sectors)}\n`);
  if (found.sectorsOfNoFile.length > 0)
    out.write(`free space, or the file system's own: ${blockCount(found.sectorsOfNoFile)}\n`);
  return EXIT_STATUS.done;
}

export function addLostCommand(program: Command, run: (args: LostArguments) => Promise<void>): void {
  const command = program
    .command('lost')
    .summary('list the sectors whose contents are gone')
    .description(
      'Lists the sectors (512 bytes) of the main device that could not be read and were not written since, as ranges, one a ' +
        'line. Reading them gives an error; writing them makes them good again. For a set that is not served see ' +
        '"dmremap remaps".\n\n' +
        'With --files the files that they belong to, on a file system that fills the device: ext2, ext3 and ext4 by debugfs ' +
        '(e2fsprogs), XFS by xfs_db (xfsprogs), which reads all metadata and may take long, btrfs by btrfs (btrfs-progs), ' +
        'while it is mounted. It is read through the protected device: a set that is served over NBD has to be ' +
        'attached, and named with --device. On any other file system the reason is given why not.',
    )
    .argument('<set>', 'name, set id, block device, main device or spare')
    .addOption(new Option('--files', 'name the files that they belong to').default(false))
    .option('--device <path>', 'with --files: where the protected device can be read')
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((set: string, { files, device, json }: { files: boolean; device?: string; json: boolean }) =>
      run({ set, files, device, json }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'system', 'outputClosed'],
    examples: ['dmremap lost attic', 'dmremap lost attic --files'],
  });
}
