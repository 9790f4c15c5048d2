import { type Command, Option } from 'commander';
import { commandLine } from '../base/shell-words.js';
import { FileTree } from '../boot/file-tree.js';
import { isServiceActive, serviceUnit } from '../boot/service.js';
import { isMeant, labelOf } from '../control/client/pick-set.js';
import { socketPathOf } from '../control/run-directory.js';
import { DmRemapError } from '../library/errors.js';
import type { WipePlan } from '../library/wipe-set.js';
import type { AnswerOf } from './answer-schemas.js';
import { refuseActiveService } from './boot-disable.js';
import type { CliContext } from './cli-context.js';
import { askConsent, declined } from './consent.js';
import { EXIT_STATUS } from './exit-status.js';
import { type FileOutcome, fileLine, resultOf } from './file-result.js';
import { helpLikeManual } from './help.js';
import { writeAnswer } from './output.js';
import { repeated } from './repeated-option.js';
import { type KnownSet, knownSet, nameAtBoot, removeTraces, tracesOf } from './set-traces.js';
import { findMetadata, wipedText, wipePlanText } from './wipe-found-set.js';

export interface ForgetArguments {
  /** Its name at boot, or its id. */
  readonly set: string;
  /** A directory of archived maps; undefined: these stay. */
  readonly archive: string | undefined;
  readonly root: string;
  /** Erase the metadata on the spares, too. */
  readonly wipe: boolean;
  /** With `wipe`, where to look for them; empty: all block devices. */
  readonly devices: readonly string[];
  readonly force: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** `dmremap forget`: removes what this machine remembers of a set that is gone for good; no disk is opened without --wipe. */
export async function forget(args: ForgetArguments, context: CliContext): Promise<number> {
  if (args.wipe) return forgetAndWipe(args, context);
  if (args.devices.length > 0 || args.force || args.yes)
    throw new DmRemapError('usage', '--device, --force and --yes go with --wipe');
  const tree = resultOf(FileTree.below(args.root), 'device');
  await refuseServed(args.set, context);
  const known = knownSet(args.set, tree);
  if (known.setId !== undefined) {
    await refuseServed(known.setId, context);
    refuseSilent(known.setId, context);
  }
  const files = tracesOf({ ...args, setId: known.setId }, context);
  if (known.name === undefined && files.length === 0)
    throw new DmRemapError('device', `${args.set}: this machine remembers nothing of it`);
  tell(known, removeTraces(known, files, args, context), null, args, context);
  return EXIT_STATUS.done;
}

/** The metadata first: what was to go with it stays where that fails. */
async function forgetAndWipe(args: ForgetArguments, context: CliContext): Promise<number> {
  await refuseServed(args.set, context);
  const found = await findMetadata(args, context);
  const { setId } = found.set;
  await refuseServed(setId, context);
  refuseSilent(setId, context);
  const name = nameAtBoot(setId, resultOf(FileTree.below(args.root), 'device'));
  if (name !== undefined && args.root === '/') refuseActiveService(name, context);
  const known = { name, setId };
  const files = tracesOf({ ...args, setId }, context);
  if (!args.dryRun && !args.yes) {
    context.err.write(wipePlanText(found, context.err));
    if (!(await askConsent(context))) return declined(context, args.json);
  }
  if (args.dryRun && !args.json) context.out.write(wipePlanText(found, context.out));
  const wiped = args.dryRun ? found.plan : await context.library.wipeSet(found.options, found.plan);
  tell(known, removeTraces(known, files, args, context), wiped, args, context);
  return EXIT_STATUS.done;
}

function tell(
  { name, setId }: KnownSet,
  files: readonly FileOutcome[],
  wiped: WipePlan | null,
  { json, dryRun }: ForgetArguments,
  { out }: CliContext,
): void {
  if (json) {
    const erased = wiped && withoutSetId(wiped);
    writeAnswer<AnswerOf<'forget'>>(out, {
      ...{ name: name ?? null, setId: setId ?? null, written: !dryRun, files, wiped: erased },
    });
    return;
  }
  for (const file of files) out.write(fileLine(file));
  if (wiped !== null && !dryRun) out.write(wipedText(wiped));
}

function withoutSetId({ setId: _, ...rest }: WipePlan): Omit<WipePlan, 'setId'> {
  return rest;
}

/** By its name while it is served, which need not be that at boot; by its id, or by a device of it. */
async function refuseServed(wanted: string, { running, machine }: CliContext): Promise<void> {
  const served = (await running.all()).find(({ device }) => isMeant(device, wanted));
  if (served === undefined) return;
  const { device } = served;
  const label = labelOf(device);
  const isService = isServiceActive(machine, device.name);
  const stop = commandLine(
    isService ? ['systemctl', 'disable', '--now', serviceUnit(device.name)] : ['dmremap', 'stop', label],
  );
  throw new DmRemapError(
    'refused',
    `${label}: process ${device.processId} serves it; nothing was removed. Stop it first: ${stop}`,
  );
}

/** Of all that were asked just now: one that hangs serves all the same. */
function refuseSilent(setId: string, { running, runDirectory }: CliContext): void {
  if (runDirectory === undefined || !running.silent.has(socketPathOf(runDirectory, setId))) return;
  throw new DmRemapError(
    'refused',
    `${setId}: the process that serves it gives no answer; nothing was removed. End it first (see "dmremap list")`,
  );
}

export function addForgetCommand(program: Command, action: (args: ForgetArguments) => Promise<void>): void {
  const command = program
    .command('forget')
    .summary('remove what the machine remembers of a set')
    .description(
      'For a set that is gone for good: removes what "boot enable" wrote for it, and what processes left in the run ' +
        'directory. Texts of its map are kept, unless their directory is given. No disk is opened: a spare that is ' +
        'attached again is found again. A set that is served is refused.\n\n' +
        'With --wipe the metadata on its spares is erased, too: "dmremap scan" finds nothing of the set then, and the ' +
        'spares can be used for something else. The spares are looked for on all block devices, or on those that are ' +
        'given with --device. Shows what will be erased and asks for YES. Refused while units live on the spares, which ' +
        'would be lost: "dmremap leave" brings them back, "dmremap export --dm-table" prints where they are. The main ' +
        'device is not written.',
    )
    .argument(
      '<set>',
      'its name in "dmremap boot show", or its set id; with --wipe also a spare or main device',
    )
    .option('--archive <directory>', 'remove the texts of its map there, too (see run --archive)')
    .option('--root <directory>', 'look for boot files below this directory instead of /', '/')
    .addOption(new Option('--wipe', 'erase the metadata on its spares').default(false))
    .option('--device <path>', 'with --wipe, look at this device or image only; repeat', repeated, [])
    .addOption(
      new Option(
        '--force',
        'with --wipe, although units live on the spares, which are lost, or a spare is missing or there twice, which stays',
      ).default(false),
    )
    .addOption(new Option('--yes', 'with --wipe, do not ask').default(false))
    .addOption(new Option('--dry-run', 'show what would go, and end').default(false))
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((set: string, { archive, device: devices, ...rest }: CommandOptions) =>
      action({ set, archive, devices, ...rest }),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'declined', 'usage', 'device', 'refused', 'io', 'system'],
    examples: [
      'dmremap forget attic --dry-run',
      'dmremap forget attic --archive /var/lib/dm-remap',
      'dmremap forget attic --wipe',
      'dmremap forget spare.img --wipe --dry-run',
    ],
  });
}

interface CommandOptions extends Omit<ForgetArguments, 'set' | 'archive' | 'devices'> {
  readonly archive?: string;
  readonly device: string[];
}
