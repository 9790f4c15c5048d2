import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { commandLine } from '../base/shell-words.js';
import { isSamePath } from '../control/client/is-same-path.js';
import type { RunningSet } from '../control/client/running-sets.js';
import type { DeviceResource } from '../control/schema/device.js';
import type { JobReport } from '../control/schema/jobs.js';
import { DmRemapError } from '../library/errors.js';
import { addMigrationTarget, migrationSoFar } from './add-migration-target.js';
import type { AnswerOf } from './answer-schemas.js';
import { awaitJob, throwUnlessDone } from './await-job.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { devicesOf, followAtBoot } from './follow-at-boot.js';
import { isUnderWay } from './follow-job.js';
import { helpLikeManual } from './help.js';
import { migratedText } from './migrate-text.js';
import { writeAnswer } from './output.js';
import { refuseDuringEvacuation } from './refuse-during-evacuation.js';
import { findSpare, isSpareNumber, spareNumber } from './spare-number.js';
import { takeOutSpare } from './take-out-spare.js';

export interface MigrateArguments {
  readonly set: string;
  /** Number or path of a spare. */
  readonly from: string;
  /** Number or path of a spare, or a device that is to become one. */
  readonly to: string;
  readonly acceptLoss: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/**
 * `dmremap migrate`: everything that lives on one spare moves to another, which is added if it is none yet; then the first
 * is taken out. Each step is found done when the command is called again.
 */
export async function migrate(args: MigrateArguments, context: CliContext): Promise<number> {
  const set = await context.running.one(args.set);
  refuseDuringEvacuation(set.device, commandLine(['dmremap', 'evacuate', args.set, '--cancel']));
  if (isOver(args, set.device)) {
    const atBoot = followAtBoot(devicesOf(set.device), context);
    if (args.json) return tell(args, { set: set.device, movedUnits: 0, atBoot }, context);
    context.out.write(
      `${args.from} is no spare of the set, and ${args.to} is one: there is nothing to move\n`,
    );
    return EXIT_STATUS.done;
  }
  const fromIndex = spareNumber(args.from, set.device);
  const from = set.device.spares[fromIndex]!.path;
  refuseSame(from, args, set.device);
  const target = await addMigrationTarget(set, fromIndex, args, context);
  if (typeof target === 'number') return target;
  const emptied = await awaitJob(target, () => begin(target, from, args), args.set, context);
  if (isUnderWay(emptied)) return tellInterrupted({ ...args, from }, target.device, emptied, context);
  throwUnlessDone(emptied);
  const taken = await takeOutSpare(target, from, args.set, context);
  if (taken === undefined) return tellInterrupted({ ...args, from }, target.device, emptied, context);
  const { removed, atBoot } = taken;
  const after = { ...target.device, usableSpareUnits: removed.usableSpareUnits };
  return tell({ ...args, from }, { set: after, movedUnits: emptied.movedUnits, atBoot }, context);
}

/** It was opened anew for the new spare, and may have been for others: its numbers are those of now. */
async function begin({ client }: RunningSet, from: string, { to, acceptLoss }: MigrateArguments) {
  const device = await client.device();
  const toSpareIndex = spareNumber(to, device);
  return client.emptySpare(spareNumber(from, device), { acceptsLoss: acceptLoss, toSpareIndex });
}

/** A command that died at the very end is called again: the one is no spare any more, or never was, and the other is. */
function isOver({ from, to }: MigrateArguments, device: DeviceResource): boolean {
  const isOut = !isSpareNumber(from) && findSpare(from, device) === undefined;
  return isOut && findSpare(to, device) !== undefined;
}

function pathOf(spare: string, set: DeviceResource): string {
  const index = findSpare(spare, set);
  return index === undefined ? resolve(spare) : set.spares[index]!.path;
}

function refuseSame(from: string, { to }: MigrateArguments, device: DeviceResource): void {
  if (isSamePath(from, pathOf(to, device)))
    throw new DmRemapError('usage', `${from}: --from and --to are the same device`);
  if (isSpareNumber(to) && findSpare(to, device) === undefined) spareNumber(to, device);
}

function tell(
  { from, to, json }: MigrateArguments,
  { set, movedUnits, atBoot }: Migrated,
  context: CliContext,
): number {
  const answer = { ...migrationSoFar(set, from, pathOf(to, set)), written: true, movedUnits };
  if (json) writeAnswer<AnswerOf<'migrate'>>(context.out, answer);
  else context.out.write(migratedText(answer, atBoot));
  return EXIT_STATUS.done;
}

/** Programs learn how far it was; a person was told already. */
function tellInterrupted(
  { from, to, json }: MigrateArguments,
  set: DeviceResource,
  job: JobReport,
  context: CliContext,
): number {
  if (json)
    writeAnswer<AnswerOf<'migrate'>>(context.out, {
      ...migrationSoFar(set, from, pathOf(to, set)),
      ...{ movedUnits: job.movedUnits, interrupted: true, job },
    });
  return EXIT_STATUS.interrupted;
}

interface Migrated {
  readonly set: DeviceResource;
  readonly movedUnits: number;
  readonly atBoot: string | undefined;
}

export function addMigrateCommand(program: Command, action: (args: MigrateArguments) => Promise<void>): void {
  const command = program
    .command('migrate')
    .argument('<set>', SET_TEXT)
    .requiredOption('--from <spare>', FROM_TEXT)
    .requiredOption('--to <spare>', TO_TEXT)
    .action((set: string, options: Omit<MigrateArguments, 'set'>) => action({ set, ...options }));
  describe(command, 'dmremap migrate attic --from /dev/sdY --to /dev/disk/by-id/usb-STICK');
}

/** The same, as one of the commands about spares. */
export function addMigrateSpareCommand(
  group: Command,
  action: (args: MigrateArguments) => Promise<void>,
): void {
  const command = group
    .command('migrate')
    .argument('<from>', FROM_TEXT)
    .argument('<to>', TO_TEXT)
    .requiredOption('--set <set>', SET_TEXT)
    .action((from: string, to: string, options: Omit<MigrateArguments, 'from' | 'to'>) =>
      action({ ...options, from, to }),
    );
  describe(command, 'dmremap spare migrate /dev/sdY /dev/disk/by-id/usb-STICK --set attic');
}

function describe(command: Command, example: string): void {
  command
    .summary('move everything from one spare to another device')
    .description(
      'Moves what lives on a spare to another one while the set is at work, and takes the first out of the set. The other one is ' +
        'added first, if it is no spare yet: the command shows what it holds and asks. What does not fit there goes to the other ' +
        'spares.\n\n' +
        'The moving is a job of the process that serves the set ("dmremap jobs"): Ctrl-C ends the command and not the job. After a ' +
        'crash, a reboot or Ctrl-C the command is called again, with the spare by its path, and goes on where it is. The set is ' +
        'closed for a moment for adding, and for taking out: the I/O of its block device waits, NBD clients have to connect again.',
    )
    .addOption(
      new Option('--accept-loss', 'blocks that the spare does not give any more are lost').default(false),
    )
    .addOption(new Option('--force', 'overwrite a device that holds something').default(false))
    .addOption(new Option('--dry-run', 'show what would be done, and end').default(false))
    .addOption(new Option('--yes', 'do not ask').default(false))
    .addOption(new Option('--json', 'print JSON, for programs').default(false));
  helpLikeManual(command, {
    exitStatuses: [
      'done',
      'declined',
      'usage',
      'device',
      'refused',
      'metadata',
      'io',
      'system',
      'interrupted',
    ],
    examples: [example],
  });
}

const SET_TEXT = 'name, set id, block device, main device or spare of a set at work';
const FROM_TEXT = 'the spare to be emptied, by its path or its number, from 0';
const TO_TEXT = 'another spare, or a block device or image file that becomes one; what is on it is lost then';
