import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { RunningSet } from '../control/client/running-sets.js';
import { DmRemapError } from '../library/errors.js';
import type { HealthState } from '../library/judge-health.js';
import type { CliContext } from './cli-context.js';
import { MODULE_FORMATS, type ModuleFormat, moduleStatus } from './dmsetup/module-status.js';
import { helpLikeManual } from './help.js';
import { tellNoneServed } from './none-served.js';
import { writeJson } from './output.js';
import { statusOfLook } from './status-of-look.js';
import { statusText } from './status-text.js';

export interface StatusArguments {
  /** Empty: all that are served. */
  readonly sets: readonly string[];
  readonly onlyUnhealthy: boolean;
  readonly test: boolean;
  readonly watchSeconds: number | undefined;
  readonly format: 'default' | ModuleFormat;
  readonly json: boolean;
}

/** `dmremap status`: how sets at work are doing; state, what it means, what to do. */
export async function status(args: StatusArguments, context: CliContext): Promise<number> {
  for (;;) {
    const sets = await setsOf(args.sets, context);
    if (args.watchSeconds !== undefined && context.out.isTerminal) context.out.write(CLEAR_SCREEN);
    await show(sets, args, context);
    if (args.watchSeconds === undefined) return statusOf(sets, args, context);
    await delay(args.watchSeconds * 1000);
  }
}

async function setsOf(wanted: readonly string[], { running }: CliContext): Promise<readonly RunningSet[]> {
  if (wanted.length === 0) return running.all();
  return Promise.all(wanted.map((one) => running.one(one)));
}

async function show(sets: readonly RunningSet[], args: StatusArguments, context: CliContext): Promise<void> {
  const shown = args.onlyUnhealthy ? sets.filter(({ device }) => device.health.state !== 'healthy') : sets;
  if (args.json) return writeJson(context.out, { sets: shown.map(({ device }) => device) });
  if (sets.length === 0) return tellNoneServed(context);
  if (args.format !== 'default') {
    const devices = shown.map(({ device }) => device);
    return context.out.write(moduleStatus(devices, args.format, args.sets.length === 0, context.out));
  }
  if (shown.length === 0) return void context.out.write('all sets are healthy\n');
  const texts = await Promise.all(
    shown.map(async ({ client, device }) => statusText(device, await client.events(), context.out)),
  );
  context.out.write(texts.join('\n'));
}

function statusOf(sets: readonly RunningSet[], { test }: StatusArguments, context: CliContext): number {
  return test ? testStatusOf(sets, context.running.silent.size > 0) : statusOfLook(context);
}

/** As `mdadm --detail --test` ends: 0 well, 1 degraded, 2 critical, 4 nothing to be learned. */
function testStatusOf(sets: readonly RunningSet[], isAnySilent: boolean): number {
  if (sets.length === 0 || isAnySilent) return TEST_STATUS.unknown;
  return Math.max(...sets.map(({ device }) => TEST_STATUS[device.health.state]));
}

const TEST_STATUS: Readonly<Record<HealthState | 'unknown', number>> = {
  healthy: 0,
  degraded: 1,
  critical: 2,
  unknown: 4,
};

export function addStatusCommand(program: Command, run: (args: StatusArguments) => Promise<void>): void {
  const command = program
    .command('status')
    .summary('show how the sets that are served are doing')
    .description(
      'For each set: its state, what that means, what to do; where it is served, what was moved and lost, how much ' +
        'spare is left, the devices with model and serial number, the last events. Asks the processes that serve the ' +
        'sets; for a set that is not served see "dmremap inspect".\n\n' +
        'With --test the exit status is that of the worst set, as of "mdadm --detail --test": 0 healthy, 1 degraded, ' +
        '2 critical, 4 no set is served, or one gives no answer within 30 seconds or may not be asked by this user.\n\n' +
        '--format prints what tools for the kernel module read: v2 and v4 the lines of "dmsetup status", human, json, ' +
        'csv and compact what its dmremap-status prints (docs/dmsetup-face.md).',
    )
    .argument('[set...]', 'name, set id, block device, main device or spare; by itself all')
    .addOption(new Option('-x, --only-unhealthy', 'leave out sets that are healthy').default(false))
    .addOption(new Option('--test', 'end with a status that tells the state').default(false))
    .addOption(new Option('--watch <seconds>', 'again and again').argParser(secondsOf))
    .addOption(
      new Option('--format <format>', 'for tools of the kernel module')
        .choices(['default', ...MODULE_FORMATS])
        .default('default'),
    )
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((sets: string[], options: CommandOptions) => run({ sets, ...argumentsOf(options) }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device'],
    examples: [
      'dmremap status',
      'dmremap status -x',
      'dmremap status attic --format v4',
      'dmremap status attic --json | jq .sets[0].health.state',
    ],
  });
}

interface CommandOptions {
  readonly onlyUnhealthy: boolean;
  readonly test: boolean;
  readonly watch?: number;
  readonly format: 'default' | ModuleFormat;
  readonly json: boolean;
}

function argumentsOf(options: CommandOptions): Omit<StatusArguments, 'sets'> {
  const { watch: watchSeconds, format, json, ...rest } = options;
  if (json && format !== 'default')
    throw new DmRemapError('usage', "--json and --format exclude each other; --format json is the module's");
  return { ...rest, watchSeconds, format, json };
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== '' && seconds >= 0.1 && seconds <= 86_400) return seconds;
  throw new DmRemapError('usage', `--watch ${text}: expected seconds, 0.1 to 86400`);
}

const CLEAR_SCREEN = '\u001b[H\u001b[2J';
