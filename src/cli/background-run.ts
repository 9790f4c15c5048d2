import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeDirectories } from '../library/make-directories.js';
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
  const files = await openFiles(logPath);
  if (typeof files === 'string') return { kind: 'failed', status: EXIT_STATUS.system, reason: files };
  const { log, answers } = files;
  const startBytes = statSync(logPath).size;
  const server = spawn(program.node, [program.program, 'run', ...runArguments], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', answers, log],
    env: environmentOf(program.environment),
  });
  closeSync(log);
  const ended = new Promise<number>((resolve) => {
    server.once('error', () => resolve(EXIT_STATUS.system));
    server.once('exit', (status) => resolve(status ?? EXIT_STATUS.bug));
  });
  const outcome = await untilReady(ended, server.pid ?? 0, endpointCount(runArguments), {
    answers: () => textOf(answers),
    log: () => readFileSync(logPath).subarray(startBytes).toString(),
  });
  closeSync(answers);
  server.unref();
  return outcome;
}

export interface BackgroundRequest {
  /** What follows `dmremap run`; paths are absolute, because the server works in `/`. */
  readonly runArguments: readonly string[];
  /** Gets the log, behind what is there; others may write to it at the same time. */
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
  said: { readonly answers: () => string; readonly log: () => string },
): Promise<BackgroundOutcome> {
  for (;;) {
    const status = await Promise.race([ended, delay(LOOK_PAUSE_MS, undefined)]);
    if (status !== undefined)
      return { kind: 'failed', status, reason: reasonIn(said.log().split('\n'), status) };
    const addresses = said
      .answers()
      .split('\n')
      .flatMap((line) => /^ready (.+)$/.exec(line)?.[1] ?? []);
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

/** One line that says why no server could write its log there; undefined if one could. The file is there then. */
export async function problemOfLog(path: string): Promise<string | undefined> {
  const files = await openFiles(path);
  if (typeof files === 'string') return files;
  closeSync(files.log);
  closeSync(files.answers);
  return undefined;
}

/**
 * File descriptors; or one line that says why there are none. `answers` is for what this server alone says on standard output:
 * another start that shares the log must not be taken for it. No name is left of that file.
 */
async function openFiles(logPath: string): Promise<LogFiles | string> {
  try {
    await makeDirectories(dirname(logPath), 0o700);
    const log = openSync(logPath, 'a', 0o600);
    const answersPath = `${logPath}.${process.pid}`;
    const answers = openSync(answersPath, 'w+', 0o600);
    unlinkSync(answersPath);
    return { log, answers };
  } catch (error) {
    return `${logPath}: can't be written (${(error as NodeJS.ErrnoException).code})`;
  }
}

interface LogFiles {
  readonly log: number;
  readonly answers: number;
}

/** From the beginning, whatever the server has written since. */
function textOf(file: number): string {
  const bytes = Buffer.alloc(MAX_ANSWER_BYTES);
  return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0));
}

/** Whoever waits to hear from this command must not hear from the server instead. */
function environmentOf({ NOTIFY_SOCKET: _, ...rest }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return rest;
}

const LOOK_PAUSE_MS = 50;
/** A line for each endpoint. */
const MAX_ANSWER_BYTES = 64 << 10;
