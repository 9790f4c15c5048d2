import { join } from 'node:path';
import { projectDirectory } from '../project-directory.js';
import type { Frontend } from '../scenario.js';
import type { Background } from './background.js';
import type { CommandEnd, CommandOptions } from './command.js';
import type { Guest } from './guest.js';
import { NbdAttachment } from './nbd-client.js';

const PROGRAM = ['node', join(projectDirectory, 'bin/dmremap.js')] as const;

/** Runs a command of the product to its end. */
export function dmremap(
  guest: Guest,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandEnd> {
  return guest.run([...PROGRAM, ...args], { timeoutSeconds: LIMIT_SECONDS, ...options });
}

/** Starts one, and does not wait. Killed at the end of the step. */
export function startDmremap(guest: Guest, args: readonly string[]): Background {
  return guest.start([...PROGRAM, ...args]);
}

export interface ServeOptions {
  readonly main: string;
  readonly spares: readonly string[];
  readonly frontend: Frontend;
  /** Further arguments of `dmremap run`. */
  readonly further?: readonly string[];
  /** Logical blocks, which nbd-client has to be told; default 512. */
  readonly blockBytes?: number;
}

/** A protected device as a block device of the guest. */
export interface Served {
  readonly path: string;
  /** `dmremap run`. */
  readonly program: Background;
  /** Detaches and stops it cleanly; throws unless it ends with status 0. */
  stop(): Promise<void>;
  /** SIGKILL. What was attached stays: a ublk device waits for the next `serve`. */
  crash(): Promise<void>;
  /** Waits for its end in order after another process has taken its block device over. */
  handedOver(): Promise<void>;
}

/** Runs `dmremap run` and comes back when its block device can be used. Stopped cleanly at the end of the step. */
export async function serve(guest: Guest, options: ServeOptions): Promise<Served> {
  const socketPath = `/run/lab/${nextSocket++}.sock`;
  const attach = options.frontend === 'ublk' ? ['--ublk'] : ['--nbd', `nbd+unix:///?socket=${socketPath}`];
  if (options.frontend === 'ublk') await guest.modprobe('ublk_drv');
  const program = startServer(guest, options, attach);
  const [, ready] = await program.line(/^ready (\S+)/, LIMIT_SECONDS);
  const nbd =
    options.frontend === 'nbd'
      ? await NbdAttachment.create(guest, socketPath, { blockBytes: options.blockBytes ?? 512 })
      : null;
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await nbd?.detach();
    await stopProgram(program);
  };
  guest.atEnd(stop);
  const crash = async (): Promise<void> => {
    stopped = true;
    program.kill('SIGKILL');
    await program.finish(LIMIT_SECONDS);
  };
  const handedOver = async (): Promise<void> => {
    stopped = true;
    await endInOrder(program);
  };
  return { path: nbd?.path ?? ready!, program, stop, crash, handedOver };
}

/** `dmremap run`, not waited for. Killed at the end of the step. */
export function startServer(
  guest: Guest,
  options: ServeOptions,
  attach: readonly string[] = ['--ublk'],
): Background {
  const devices = ['--main', options.main, ...options.spares.flatMap((spare) => ['--spare', spare])];
  return startDmremap(guest, ['run', ...devices, ...attach, ...(options.further ?? [])]);
}

async function stopProgram(program: Background): Promise<void> {
  program.kill('SIGTERM');
  await endInOrder(program);
}

async function endInOrder(program: Background): Promise<void> {
  const { status } = await program.finish(LIMIT_SECONDS);
  if (status !== 0) throw program.failure(`did not stop cleanly: status ${status}`);
}

let nextSocket = 1;

/** A busy host under emulation is slow, and a server waits for the I/O of the one before. */
const LIMIT_SECONDS = 120;
