import { type Command, Option } from 'commander';
import { formatCount } from '../base/format-count.js';
import { commandLine } from '../base/shell-words.js';
import { isSamePath } from '../control/client/is-same-path.js';
import type { DeviceResource } from '../control/schema/device.js';
import type { JobReport } from '../control/schema/jobs.js';
import { DmRemapError } from '../library/errors.js';
import { awaitJob, throwUnlessDone } from './await-job.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { followAtBoot } from './follow-at-boot.js';
import { isUnderWay } from './follow-job.js';
import { helpLikeManual } from './help.js';
import { writeJson } from './output.js';
import { repeated } from './repeated-option.js';
import { formatSize } from './sizes.js';
import { spareNumber } from './spare-number.js';
import { type TakenOut, takeOutSpare } from './take-out-spare.js';
import { tellLeftToStart } from './tell-left-to-start.js';

export interface RemoveSpareArguments {
  /** Path of the spare; of a set at work also its number. */
  readonly spare: string;
  readonly set: string | undefined;
  /** Of a set that is not at work, all. */
  readonly spares: readonly string[];
  readonly acceptLoss: boolean;
  readonly emptyOnly: boolean;
  readonly keep: boolean;
  readonly json: boolean;
}

/** `dmremap spare remove`: moves what lives on a spare to the others, and takes it out of the set. */
export async function removeSpare(args: RemoveSpareArguments, context: CliContext): Promise<number> {
  const { set, spare, spares, json } = args;
  refuseMixed(args);
  if (set === undefined) {
    if (spares.length === 0)
      throw new DmRemapError(
        'usage',
        'which set? give --set NAME for one that is served, or every --spare of one that is not',
      );
    return tell(await removeAtRest(args, context), json, context);
  }
  const served = await context.running.one(set);
  const { client, device } = served;
  const spareIndex = spareNumber(spare, device);
  if (args.keep) {
    await client.keepSpare(spareIndex);
    return tellStaying(device, spareIndex, true, args, context);
  }
  const begin = () => client.emptySpare(spareIndex, { acceptsLoss: args.acceptLoss });
  const emptied = await awaitJob(served, begin, set, context);
  if (isUnderWay(emptied)) return tellInterrupted(device, spareIndex, emptied, args, context);
  throwUnlessDone(emptied);
  if (args.emptyOnly) return tellStaying(device, spareIndex, false, args, context);
  const taken = await takeOutSpare(served, device.spares[spareIndex]!.path, set, context);
  if (taken === undefined) return tellInterrupted(device, spareIndex, emptied, args, context);
  return tell(taken, json, context);
}

/** What would be left undone, or undone by the other. */
function refuseMixed({ set, keep, emptyOnly, acceptLoss }: RemoveSpareArguments): void {
  if (keep && (emptyOnly || acceptLoss))
    throw new DmRemapError(
      'usage',
      '--keep takes a spare back; it does not go with --empty-only and --accept-loss',
    );
  if (set === undefined && (keep || emptyOnly || acceptLoss))
    throw new DmRemapError(
      'usage',
      '--keep, --empty-only and --accept-loss are for a set at work: name it with --set',
    );
}

async function removeAtRest({ spares, spare }: RemoveSpareArguments, context: CliContext): Promise<TakenOut> {
  const removed = await context.library.removeSpare({ spares, device: spare });
  tellLeftToStart(removed, context);
  const left = spares.filter((path) => !isSamePath(path, spare));
  return { removed, atBoot: followAtBoot({ setId: removed.setId, main: undefined, spares: left }, context) };
}

/** It is a spare of the set still; whether units are placed on it from now on. */
function tellStaying(
  { setId, name, spares }: DeviceResource,
  spareIndex: number,
  takesUnits: boolean,
  { set, json }: RemoveSpareArguments,
  context: CliContext,
): number {
  const { path } = spares[spareIndex]!;
  const spare = `spare ${spareIndex} (${path})`;
  if (json) writeJson(context.out, { setId, name, spareIndex, path, takesUnits });
  else if (takesUnits) context.out.write(`${spare} is used again\n`);
  else
    context.out.write(
      `nothing lives on ${spare} any more, nor is anything placed on it\n` +
        `use it again: ${commandLine(['dmremap', 'spare', 'remove', String(spareIndex), '--set', set ?? setId, '--keep'])}\n`,
    );
  return EXIT_STATUS.done;
}

/** Programs learn how far it was; a person was told already. */
function tellInterrupted(
  { setId, name, spares, unitBytes, usableSpareUnits }: DeviceResource,
  spareIndex: number,
  job: JobReport,
  { emptyOnly, json }: RemoveSpareArguments,
  context: CliContext,
): number {
  const { path } = spares[spareIndex]!;
  const staying = { setId, name, spareIndex, path, takesUnits: false };
  const leaving = { setId, name, path, unitBytes, usableSpareUnits };
  if (json) writeJson(context.out, { ...(emptyOnly ? staying : leaving), interrupted: true, job });
  return EXIT_STATUS.interrupted;
}

function tell({ removed, atBoot }: TakenOut, json: boolean, context: CliContext): number {
  if (json) writeJson(context.out, { ...removed });
  else {
    const { path, usableSpareUnits: units, unitBytes } = removed;
    const room = `${formatCount(units, 'unit')} (${formatSize(units * unitBytes)})`;
    context.out.write(
      `${path} is no spare of the set any more, and holds nothing of it; ${room} for bad sectors are left\n` +
        `${atBoot ?? 'give --spare for it no more ("dmremap boot enable" again, if the set starts at boot)'}\n`,
    );
  }
  return EXIT_STATUS.done;
}

export function addRemoveSpareCommand(
  group: Command,
  run: (args: RemoveSpareArguments) => Promise<void>,
): void {
  const command = group
    .command('remove')
    .summary('take a spare out of a set')
    .description(
      'Moves what lives on a spare to the others, while the set is at work, and takes it out of the set. Nothing new is placed ' +
        'on it from the first moment on. That is a job of the process that serves the set, and of the next one after a crash ' +
        'or a reboot ("dmremap jobs"): Ctrl-C ends the command and not the job, and called again it waits for it. A unit with blocks that the spare does not give any more stays, and with it the spare, unless ' +
        '--accept-loss.\n\n' +
        'In the end the set is closed for a moment: the I/O of its block device waits, NBD clients have to connect again. ' +
        'A power cut leaves the set with the spare or without it.\n\n' +
        'Of a set that is not at work only a spare can be taken out on which nothing lives.',
    )
    .argument('<spare>', 'the device or image file; of a set at work also its number, from 0')
    .option('--set <set>', 'name, set id, block device, main device or spare of a set at work')
    .option('--spare <path>', 'a spare of a set that is not at work; repeat for all', repeated, [])
    .addOption(new Option('--accept-loss', 'blocks that it does not give any more are lost').default(false))
    .addOption(new Option('--empty-only', 'move everything, but let it stay a spare').default(false))
    .addOption(new Option('--keep', 'take it back: the spare is used again').default(false))
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((spare: string, options: RemoveOptions) => {
      const { spare: spares, set, ...rest } = options;
      return run({ spare, set, spares, ...rest });
    });
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'metadata', 'io', 'system', 'interrupted'],
    examples: [
      'dmremap spare remove 0 --set attic',
      'dmremap spare remove /dev/sdY --set attic --accept-loss',
      'dmremap spare remove b.img --spare a.img --spare b.img',
    ],
  });
}

interface RemoveOptions {
  readonly set?: string;
  readonly spare: string[];
  readonly acceptLoss: boolean;
  readonly emptyOnly: boolean;
  readonly keep: boolean;
  readonly json: boolean;
}
