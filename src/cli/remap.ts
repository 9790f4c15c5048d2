import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import type { HandReportResource } from '../control/schema/remaps.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { addConsolidateCommand, consolidateRemaps } from './remap-consolidate.js';
import { writeOutcome } from './write-outcome.js';

export interface RemapArguments {
  readonly set: string;
  readonly firstSector: number;
  readonly sectorCount: number;
  readonly json: boolean;
}

export interface AddArguments extends RemapArguments {
  readonly place: { readonly spareIndex: number; readonly spareSector: number } | undefined;
}

/** `dmremap remap add`: moves sectors to a spare by hand. */
export async function addRemap(args: AddArguments, context: CliContext): Promise<number> {
  const { client } = await context.running.one(args.set);
  const { firstSector, sectorCount, place } = args;
  return tell(await client.moveByHand({ firstSector, sectorCount, place }), 'moved', args, context);
}

/** `dmremap remap release`: tests sectors that were moved, and brings them back to the main device. */
export async function releaseRemap(args: RemapArguments, context: CliContext): Promise<number> {
  const { client } = await context.running.one(args.set);
  const { firstSector, sectorCount } = args;
  return tell(await client.giveBack({ firstSector, sectorCount }), 'given back', args, context);
}

/** Says what has changed, and what was so already. */
function tell(
  report: HandReportResource,
  done: string,
  { json }: RemapArguments,
  context: CliContext,
): number {
  const failure = failureOf(report);
  if (json) return writeOutcome({ ...report }, failure, context);
  const already = report.alreadyCount === 0 ? '' : `; ${formatCount(report.alreadyCount, 'unit')} already so`;
  context.out.write(`${formatCount(report.doneCount, 'unit')} ${done}${already}\n`);
  if (failure !== undefined) throw failure;
  return EXIT_STATUS.done;
}

/** A device that did not take part counts for more than what can't be done as things are. */
function failureOf({ refusals }: HandReportResource): DmRemapError | undefined {
  const first = refusals.find(({ failure }) => failure !== 'refused') ?? refusals[0];
  if (first === undefined) return undefined;
  const others = refusals.length === 1 ? '' : ` (and ${refusals.length - 1} more)`;
  return new DmRemapError(
    // A process of an earlier version does not say it.
    first.failure ?? 'io',
    `sectors from ${first.mainSector}${others} stay where they are: ${first.reason}`,
  );
}

export function addRemapCommand(
  program: Command,
  context: CliContext,
  ended: (status: number) => void,
): void {
  const group = program
    .command('remap')
    .summary('move sectors of a set by hand, and bring them back')
    .description('What dm-remap does by itself where a sector fails, on demand.');
  helpLikeManual(group, { exitStatuses: ['done', 'usage'], examples: ['dmremap remap add --help'] });
  addAddCommand(group, async (args) => ended(await addRemap(args, context)));
  addReleaseCommand(group, async (args) => ended(await releaseRemap(args, context)));
  addConsolidateCommand(group, async (args) => ended(await consolidateRemaps(args, context)));
}

function addAddCommand(group: Command, run: (args: AddArguments) => Promise<void>): void {
  const command = group
    .command('add')
    .summary('move sectors to a spare')
    .description(
      'Moves the units that hold these sectors (512 bytes) from the main device to a spare, with their data, while the set ' +
        'is in use: for a place that is slow, or that another tool has found to be bad. Blocks that cannot be read are ' +
        'lost, as after a failed read.',
    )
    .argument('<set>', 'name, set id, block device, main device or spare')
    .argument('<sector>', 'first sector on the main device', sectorOf)
    .addOption(new Option('--count <sectors>', 'how many').argParser(countOf).default(1))
    .addOption(
      new Option('--spare-sector <sector>', 'where to; by itself any free place').argParser(sectorOf),
    )
    .addOption(
      new Option('--spare <index>', 'with --spare-sector: of which spare, 0 by itself').argParser(sectorOf),
    )
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((set: string, firstSector: number, options: AddOptions) =>
      run({ set, firstSector, sectorCount: options.count, place: placeOf(options), json: options.json }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'io'],
    examples: ['dmremap remap add attic 123456', 'dmremap remap add attic 123456 --count 4096'],
  });
}

interface AddOptions {
  readonly count: number;
  readonly spareSector?: number;
  readonly spare?: number;
  readonly json: boolean;
}

function placeOf({ spareSector, spare }: AddOptions): AddArguments['place'] {
  if (spareSector !== undefined) return { spareIndex: spare ?? 0, spareSector };
  if (spare === undefined) return undefined;
  throw new DmRemapError(
    'usage',
    '--spare goes with --spare-sector: by itself a unit goes where there is room',
  );
}

function addReleaseCommand(group: Command, run: (args: RemapArguments) => Promise<void>): void {
  const command = group
    .command('release')
    .summary('test sectors that were moved, and bring them back')
    .description(
      'Writes the units that hold these sectors back to the main device, flushes, reads and compares. Only if the main ' +
        'device took and gave everything is the place on the spare free again; else all stays as it is. Units with lost ' +
        'blocks stay on the spare: write these blocks first.',
    )
    .argument('<set>', 'name, set id, block device, main device or spare')
    .argument('<sector>', 'first sector on the main device', sectorOf)
    .addOption(new Option('--count <sectors>', 'how many').argParser(countOf).default(1))
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((set: string, firstSector: number, { count, json }: { count: number; json: boolean }) =>
      run({ set, firstSector, sectorCount: count, json }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'io'],
    examples: ['dmremap remap release attic 123456'],
  });
}

function sectorOf(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new DmRemapError('usage', `${text}: expected a whole number, 0 or more`);
}

function countOf(text: string): number {
  const count = sectorOf(text);
  if (count > 0) return count;
  throw new DmRemapError('usage', '--count 0: expected 1 or more');
}
