import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT_STATUS } from './exit-status.js';

/**
 * Starts `dmremap run` in a session of its own, without a terminal, and waits until it serves the set or has ended. Who
 * started it may end then: what it says goes to a file, and nothing else ties the two. Also while one waits: if the
 * waiting is interrupted, the server goes on.
 */
export async function startInBackground(
  { runArguments, logPath }: BackgroundRequest,
  program: BackgroundProgram,
): Promise<BackgroundOutcome> {
  const log = openLogFile(logPath);
  if (typeof log === 'string') return { kind: 'failed', status: EXIT_STATUS.system, reason: log };
  const startBytes = statSync(logPath).size;
  const server = spawn(program.node, [program.program, 'run', ...runArguments], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    env: environmentOf(program.environment),
  });
  closeSync(log);
  const ended = new Promise<number>((resolve) => {
    server.once('error', () => resolve(EXIT_STATUS.system));
    server.once('exit', (status) => resolve(status ?? EXIT_STATUS.bug));
  });
  const outcome = await untilReady(ended, server.pid ?? 0, endpointCount(runArguments), () =>
    readFileSync(logPath).subarray(startBytes).toString(),
  );
  server.unref();
  return outcome;
}

export interface BackgroundRequest {
  /** What follows `dmremap run`; paths are absolute, because the server works in `/`. */
  readonly runArguments: readonly string[];
  /** Gets the lines of both outputs, behind what is there. */
  readonly logPath: string;
}

export type BackgroundOutcome =
  /** `addresses`: block devices and NBD URIs. */
  | { readonly kind: 'ready'; readonly processId: number; readonly addresses: readonly string[] }
  /** `status`: that of the process (docs/exit-codes.md); `reason`: its last words, one line. */
  | { readonly kind: 'failed'; readonly status: number; readonly reason: string };

export interface BackgroundProgram {
  readonly node: string;
  readonly program: string;
  readonly environment: NodeJS.ProcessEnv;
}

async function untilReady(
  ended: Promise<number>,
  processId: number,
  wantedCount: number,
  text: () => string,
): Promise<BackgroundOutcome> {
  for (;;) {
    const status = await Promise.race([ended, delay(LOOK_PAUSE_MS, undefined)]);
    const lines = text().split('\n');
    const addresses = lines.flatMap((line) => /^ready (.+)$/.exec(line)?.[1] ?? []);
    if (status !== undefined) return { kind: 'failed', status, reason: reasonIn(lines, status) };
    if (addresses.length >= wantedCount) return { kind: 'ready', processId, addresses };
  }
}

/** A failed command ends with one line that begins with its name. */
function reasonIn(lines: readonly string[], status: number): string {
  const last = lines.findLast((line) => line.startsWith('dmremap: '));
  return last?.slice('dmremap: '.length) ?? `it ended with status ${status} and said nothing`;
}

/** Each gets a line when clients can use it. */
function endpointCount(runArguments: readonly string[]): number {
  const count = runArguments.filter((word) => word === '--ublk' || word === '--nbd').length;
  return Math.max(1, count);
}

/** A file descriptor; or one line that says why there is none. */
function openLogFile(path: string): number | string {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openSync(path, 'a', 0o600);
  } catch (error) {
    return `${path}: can't be written (${(error as NodeJS.ErrnoException).code})`;
  }
}

/** Whoever waits to hear from this command must not hear from the server instead. */
function environmentOf({ NOTIFY_SOCKET: _, ...rest }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return rest;
}

const LOOK_PAUSE_MS = 50;
