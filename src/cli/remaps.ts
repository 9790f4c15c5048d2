import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { formatSectorRanges } from '../base/sector-ranges.js';
import type { InspectReport, RemapReport } from '../library/offline-types.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { writeJson } from './output.js';
import { formatTable } from './table.js';
import { formatTime } from './time.js';

export interface RemapsArguments {
  readonly spares: readonly string[];
  readonly json: boolean;
}

/** `dmremap remaps`: every unit of the main device that lives on a spare. Reads only. */
export async function remaps(args: RemapsArguments, context: CliContext): Promise<number> {
  const report =
    (await ofServedSet(args.spares, context)) ?? (await context.library.inspectSpares(args.spares));
  if (args.json) writeJson(context.out, jsonOf(report));
  else context.out.write(textOf(report));
  return EXIT_STATUS.done;
}

/** Of a set that is called by its name, as other commands take it; undefined where devices or files are given. */
async function ofServedSet(
  [name, ...others]: readonly string[],
  { running }: CliContext,
): Promise<MovedUnits | undefined> {
  if (name === undefined || others.length > 0 || name.includes('/') || existsSync(name)) return undefined;
  const { client, device } = await running.one(name);
  return { ...device, remaps: await client.remaps() };
}

type MovedUnits = Pick<InspectReport, 'setId' | 'name' | 'unitBytes' | 'logicalBlockBytes' | 'remaps'>;

function jsonOf(report: MovedUnits): Readonly<Record<string, unknown>> {
  const { setId, name, unitBytes, logicalBlockBytes } = report;
  return { setId, name, unitBytes, logicalBlockBytes, remaps: inOrder(report.remaps) };
}

function textOf(report: MovedUnits): string {
  const blockSectors = report.logicalBlockBytes / 512;
  const rows = inOrder(report.remaps).map((remap) => [
    remap.mainSector,
    remap.sectorCount,
    remap.spareIndex,
    remap.spareSector,
    remap.reason,
    remap.errorCount,
    formatTime(remap.timeSeconds),
    remap.lostSectors.length === 0 ? '-' : formatSectorRanges(remap.lostSectors, blockSectors),
  ]);
  return formatTable(
    ['SECTOR', 'COUNT', 'SPARE', 'SPARE SECTOR', 'REASON', 'ERRORS', 'TIME', 'LOST SECTORS'],
    rows,
  );
}

function inOrder(remaps: readonly RemapReport[]): RemapReport[] {
  return [...remaps].sort((a, b) => a.mainSector - b.mainSector);
}

export function addRemapsCommand(program: Command, run: (args: RemapsArguments) => Promise<void>): void {
  const command = program
    .command('remaps')
    .summary('list what was moved from the main device to spares')
    .description(
      'Lists every unit of the main device that lives on a spare now: its first sector there (512 bytes), how many ' +
        'sectors it has, where it is, why and when it was moved, and which of its sectors are lost: they could not ' +
        'be read and were not written since. Nothing is written.',
    )
    .argument(
      '<spare...>',
      'all spare devices or image files of the set; or the name of a set that is served',
    )
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((spares: string[], options: { json: boolean }) => run({ spares, json: options.json }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'metadata', 'outputClosed'],
    examples: ['dmremap remaps /dev/sdY', "dmremap remaps /dev/sdY --json | jq '.remaps[].lostSectors[]'"],
  });
}
