import { existsSync, realpathSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { AnswerOf } from './answer-schemas.js';
import type { CliContext } from './cli-context.js';
import { endServedSet } from './end-served-set.js';
import { EXIT_STATUS } from './exit-status.js';
import { helpLikeManual } from './help.js';
import { writeAnswer } from './output.js';
import { uncleanStopOf } from './unclean-stop.js';

export interface StopArguments {
  /** A block device, also one whose process is gone; or a set that is served. */
  readonly wanted: string;
  readonly force: boolean;
  readonly json: boolean;
}

/** `dmremap stop`: ends the process that serves a set and takes its block device away; nothing of either is left. */
export async function stop({ wanted, force, json }: StopArguments, context: CliContext): Promise<number> {
  const stopped = isUblkDevice(wanted)
    ? await stopDevice(wanted, force, context)
    : await stopSet(wanted, force, context);
  if (json) writeAnswer<StopAnswer>(context.out, stopped);
  return EXIT_STATUS.done;
}

type StopAnswer = AnswerOf<'stop'>;

async function stopSet(
  wanted: string,
  force: boolean,
  context: CliContext,
): Promise<Omit<StopAnswer, 'version'>> {
  const set = await context.running.one(wanted);
  const problem = await endServedSet(set, force, context);
  if (problem !== undefined) throw problem;
  const { setId, name, endpoints } = set.device;
  return { setId, name, blockDevice: endpoints.find(({ kind }) => kind === 'ublk')?.address ?? null };
}

/** Also one whose process is gone, and which nobody can be asked about. */
async function stopDevice(
  path: string,
  force: boolean,
  context: CliContext,
): Promise<Omit<StopAnswer, 'version'>> {
  const { setId } = await context.library.stopBlockDevice(path, { force });
  const problem = await uncleanStopOf(setId, path, context);
  if (context.runDirectory !== undefined) {
    const { removeAbandonedSockets } = await import('../control/abandoned-sockets.js');
    await removeAbandonedSockets(context.runDirectory, setId);
  }
  if (problem !== undefined) throw problem;
  return { setId, name: null, blockDevice: path };
}

function isUblkDevice(path: string): boolean {
  return /^\/dev\/ublkb\d+$/.test(existsSync(path) ? realpathSync(path) : path);
}

export function addStopCommand(program: Command, action: (args: StopArguments) => Promise<void>): void {
  const command = program
    .command('stop')
    .summary('stop serving a set')
    .description(
      'Asks the process that serves the set to stop, as Ctrl-C does, and waits until it is gone, and the block device ' +
        'with it. Refused while the set is in use, by mounts and programs or by NBD clients. Also removes a block device ' +
        'whose process has died and shall not be started again. A stop that was not clean, because the last flush failed, is told.',
    )
    .argument('<set>', 'name, set id, /dev/ublkbN or a link to it, main device or spare')
    .addOption(
      new Option(
        '--force',
        'although it is in use: those who use it get errors, and what they have not flushed is lost',
      ).default(false),
    )
    .addOption(new Option('--json', 'print JSON, for programs').default(false))
    .action((wanted: string, options: { force: boolean; json: boolean }) => action({ wanted, ...options }));
  helpLikeManual(command, {
    exitStatuses: ['done', 'usage', 'device', 'refused', 'io', 'system'],
    examples: ['umount /mnt && dmremap stop /dev/ublkb0', 'dmremap stop attic'],
  });
}
