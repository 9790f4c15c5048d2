import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { FileTree } from '../boot/file-tree.js';
import { enablingLink, serviceUnit } from '../boot/service.js';
import { socketPathOf } from '../control/run-directory.js';
import { DmRemapError } from '../library/errors.js';
import type { ScannedSet } from '../library/scan-types.js';
import type { AnswerOf } from './answer-schemas.js';
import {
  type AssembledSet,
  assembledText,
  notStarted,
  servedAlready,
  started,
  startedService,
  wouldStart,
  wouldStartService,
} from './assembled-set.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { resultOf } from './file-result.js';
import { guardedRun } from './guarded-run.js';
import { helpLikeManual } from './help.js';
import { writeAnswer } from './output.js';
import { pickScannedSet } from './pick-scanned-set.js';
import { repeated } from './repeated-option.js';
import { errorDocument, reportError } from './report-error.js';
import { labelOf, servedDevicesOf, verdictOn } from './scan-verdict.js';
import { nameAtBoot } from './set-traces.js';
import { refuseRelativePaths, understandRun } from './understand-run.js';

export interface AssembleArguments {
  /** Name, set id, or a device of it; undefined with `all`. */
  readonly set: string | undefined;
  readonly all: boolean;
  readonly main: string | undefined;
  /** Devices and images to look at; empty: all block devices. */
  readonly devices: readonly string[];
  readonly background: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  /** For `dmremap run`. */
  readonly options: readonly string[];
}

/** `dmremap assemble`: starts a set, or all, from what is found on devices; refuses what is not whole and right. */
export async function assemble(args: AssembleArguments, context: CliContext): Promise<number> {
  if (args.all === (args.set !== undefined))
    throw new DmRemapError('usage', 'say which set (see dmremap scan), or --scan for all');
  if (args.all && args.main !== undefined)
    throw new DmRemapError('usage', '--main belongs to one set, not to --scan');
  if (args.json && !args.all && !args.background && !args.dryRun)
    throw new DmRemapError(
      'usage',
      '--json needs --background, --scan or --dry-run: in the foreground it logs',
    );
  const sets = await foundSets(args, context);
  if (args.all) return assembleAll(sets, args, context);
  const set = pickScannedSet(sets, args.set!);
  if (verdictOn(set).state === 'served') return tellOne(servedAlready(set), args, context);
  const words = runWords(startable(set, args), args);
  if (args.dryRun) return tellOne(wouldStart(set, words), args, context);
  if (args.background) return tellOne(await startBehind(set, words, context), args, context);
  // Changes of the set start the program again with other devices: only "run" takes them.
  return guardedRun(await understandRun(words), { ...context, commandLine: ['run', ...words] });
}

function tellOne(set: AssembledSet, { json }: AssembleArguments, { out }: CliContext): number {
  if (json) writeAnswer<AnswerOf<'assemble'>>(out, { sets: [set] });
  else out.write(`${assembledText(set)}\n`);
  return EXIT_STATUS.done;
}

/** Each by itself: what is wrong with one keeps no other from being started. The first failure decides the status. */
async function assembleAll(
  sets: readonly ScannedSet[],
  args: AssembleArguments,
  context: CliContext,
): Promise<number> {
  if (sets.length === 0) throw new DmRemapError('device', 'no set was found; see dmremap scan');
  let firstFailure: DmRemapError | undefined;
  const all: AssembledSet[] = [];
  for (const set of sets) {
    try {
      const one = await startOne(set, args, context);
      all.push(one);
      if (!args.json) context.out.write(`${assembledText(one)}\n`);
    } catch (error) {
      if (!(error instanceof DmRemapError)) throw error;
      reportError(error, context.err, false);
      all.push(notStarted(set, error.message));
      firstFailure ??= error;
    }
  }
  const failed = firstFailure === undefined ? {} : { error: errorDocument(firstFailure) };
  if (args.json) writeAnswer<AnswerOf<'assemble'>>(context.out, { sets: all, ...failed });
  return firstFailure === undefined ? EXIT_STATUS.done : EXIT_STATUS[firstFailure.failure];
}

async function startOne(
  set: ScannedSet,
  args: AssembleArguments,
  context: CliContext,
): Promise<AssembledSet> {
  if (verdictOn(set).state === 'served') return servedAlready(set);
  const words = runWords(startable(set, args), args);
  const name = enabledName(set, context);
  if (name === undefined) return args.dryRun ? wouldStart(set, words) : startBehind(set, words, context);
  const unit = serviceUnit(name);
  if (args.dryRun) return wouldStartService(set, unit);
  if (context.machine.run('systemctl', ['start', unit]).status !== 0)
    throw new DmRemapError(
      'system',
      `${labelOf(set)}: systemd did not start it; see "systemctl status ${unit}"`,
    );
  return startedService(set, unit);
}

/** systemd starts it at boot under this name: then the service is what starts it now, with its options. */
function enabledName({ setId }: ScannedSet, { machine }: CliContext): string | undefined {
  const tree = new FileTree(machine.root);
  const name = nameAtBoot(setId, tree);
  return name !== undefined && resultOf(tree.isThere(enablingLink(name))) ? name : undefined;
}

async function foundSets(
  { set, main, devices }: AssembleArguments,
  { library, running }: CliContext,
): Promise<readonly ScannedSet[]> {
  const options = {
    paths: devices.length === 0 ? undefined : devices,
    served: servedDevicesOf(await running.all()),
  };
  const { sets } = await library.scanSets(options);
  if (main === undefined || set === undefined) return sets;
  const { setId } = pickScannedSet(sets, set);
  return (await library.scanSets({ ...options, mains: { [setId]: main } })).sets;
}

/** Throws what speaks against starting it, and what to do. */
function startable(set: ScannedSet, { devices }: AssembleArguments): ScannedSet {
  const { state, next } = verdictOn(set, devices);
  const reasons = set.problems.filter(({ blocks }) => blocks).map(({ message }) => message);
  if (reasons.length > 0) {
    const failure = state === 'incomplete' ? 'device' : 'refused';
    throw new DmRemapError(failure, `${labelOf(set)}: ${reasons.join('; ')}; ${next}`);
  }
  return set;
}

function runWords({ main, spares }: ScannedSet, { options }: AssembleArguments): string[] {
  const devices = [
    '--main',
    resolve(main.path!),
    ...spares.flatMap(({ path }) => ['--spare', resolve(path!)]),
  ];
  const hasEndpoint = options.some((word) => /^--(ublk|nbd)(=|$)/.test(word));
  return [...devices, ...(hasEndpoint ? [] : ['--ublk']), ...options];
}

async function startBehind(
  set: ScannedSet,
  words: readonly string[],
  context: CliContext,
): Promise<AssembledSet> {
  if (context.runDirectory === undefined)
    throw new DmRemapError('system', 'no place for a log: set XDG_RUNTIME_DIR to a directory of yours');
  refuseRelativePaths(await understandRun(words));
  const logPath = socketPathOf(context.runDirectory, set.setId).replace(/\.sock$/, '.log');
  const outcome = await context.startInBackground({ runArguments: words, logPath });
  if (outcome.kind === 'ready') await untilAnswering(set, context);
  if (outcome.kind === 'ready') return started(set, words, outcome);
  const where = outcome.reason.startsWith(logPath) ? '' : `; the log is ${logPath}`;
  throw new DmRemapError(failureOf(outcome.status), `${labelOf(set)}: ${outcome.reason}${where}`);
}

/** So that `dmremap status` knows the set when this command ends. Its socket comes after the device, if at all. */
async function untilAnswering({ setId }: ScannedSet, { running }: CliContext): Promise<void> {
  for (let look = 0; look < SOCKET_LOOKS; look += 1) {
    if ((await running.all()).some(({ device }) => device.setId === setId)) return;
    await delay(SOCKET_PAUSE_MS);
  }
}

/** The class whose exit status this is. */
function failureOf(status: number): DmRemapError['failure'] {
  const classes = ['usage', 'device', 'refused', 'metadata', 'io', 'system'] as const;
  return classes.find((one) => EXIT_STATUS[one] === status) ?? 'system';
}

export function addAssembleCommand(
  program: Command,
  action: (args: AssembleArguments) => Promise<void>,
): void {
  const command = program
    .command('assemble')
    .summary('start sets that are found on devices')
    .description(
      'Finds the devices of a set as "dmremap scan" does, and serves it as "dmremap run" does, in the foreground: as a ' +
        'block device, unless options after -- say otherwise. A set of which something is missing, stale, seen twice, ' +
        'or not the recorded device is not started, and the reason is given.\n\n' +
        'With --scan every set is started, each in the background: by its service where systemd starts it at boot (see ' +
        '"dmremap boot"), else as a process of its own, whose log is SETID.log in the run directory. The status is 0 if ' +
        'all are served then, else that of the first that is not.',
    )
    .usage('[SET | --scan] [options] [-- RUN-OPTION...]')
    .argument('[set]', 'name, set id, main device or spare')
    .argument('[run-option...]', 'after --: options for dmremap run')
    .addOption(new Option('--scan', 'all sets that are found').default(false))
    .option('--main <path>', 'the main device, where nothing tells it from others; the wrong one is refused')
    .option('--device <path>', 'look at this device or image only; repeat for several', repeated, [])
    .addOption(new Option('--background', 'come back when the set is served').default(false))
    .addOption(new Option('--dry-run', 'print the command instead of running it').default(false))
    .addOption(
      new Option('--json', 'print JSON, for programs; with --background, --scan or --dry-run').default(false),
    )
    .action((set: string | undefined, words: string[], options: CommandOptions) =>
      action(argumentsOf(set, words, options)),
    );
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'metadata', 'io', 'system'],
    examples: [
      'dmremap assemble attic',
      'dmremap assemble --scan',
      'dmremap assemble attic --device disk.img --device spare.img -- --nbd nbd://127.0.0.1:10809/',
    ],
  });
}

const SOCKET_LOOKS = 50;
const SOCKET_PAUSE_MS = 100;

interface CommandOptions {
  readonly scan: boolean;
  readonly main: string | undefined;
  readonly device: string[];
  readonly background: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** With --scan the first word after `--` is no set. */
function argumentsOf(
  set: string | undefined,
  words: readonly string[],
  { scan: all, device: devices, ...rest }: CommandOptions,
): AssembleArguments {
  const isOption = set?.startsWith('-') === true;
  const options = isOption ? [set, ...words] : words;
  return { set: isOption ? undefined : set, all, devices, options, ...rest };
}
