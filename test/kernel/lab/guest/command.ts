import { spawn } from 'node:child_process';
import { patienceMs } from './patience.js';

/** How a program inside the machine ended. */
export interface CommandEnd {
  readonly stdout: string;
  readonly stderr: string;
  /** null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface CommandOptions {
  /** Then it is killed, and the step fails; on an idle host. Default 60. */
  readonly timeoutSeconds?: number;
  /** Statuses that are no failure; default 0 only, null: any. */
  readonly statuses?: readonly number[] | null;
  readonly input?: string;
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a program to its end. Throws, with the command and all it said, unless its status was expected. */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandEnd> {
  const timeoutSeconds = options.timeoutSeconds ?? 60;
  const { end, timedOut } = await spawnToEnd(argv, options, timeoutSeconds);
  if (timedOut) throw new CommandError(argv, `did not end within ${timeoutSeconds} s`, end);
  const statuses = options.statuses === undefined ? [0] : options.statuses;
  if (statuses !== null && (end.status === null || !statuses.includes(end.status))) {
    throw new CommandError(argv, `ended with ${end.signal ?? `status ${end.status}`}`, end);
  }
  return end;
}

/** A program ended as it should not have. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly end: CommandEnd;

  constructor(argv: readonly string[], what: string, end: CommandEnd) {
    // Of a script in the arguments only the beginning, so that the first lines say what happened.
    const command = argv.join(' ').replace(/\s+/g, ' ');
    const name = command.length <= MAX_NAME ? command : `${command.slice(0, MAX_NAME)}...`;
    super(`${name}\n${what}\n${tail(end.stdout)}${tail(end.stderr)}`);
    this.end = end;
  }
}

function spawnToEnd(
  [program, ...args]: readonly string[],
  options: CommandOptions,
  timeoutSeconds: number,
): Promise<{ end: CommandEnd; timedOut: boolean }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, {
      cwd: options.directory,
      env: { ...process.env, ...options.environment },
    });
    let timedOut = false;
    const said = { stdout: '', stderr: '' };
    const finish = (status: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(timer);
      resolve({ end: { ...said, status, signal }, timedOut });
    };
    // A task that is stuck in the kernel does not die of SIGKILL either: no waiting for its end then.
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
      setTimeout(() => finish(null, 'SIGKILL'), 2_000);
    }, patienceMs(timeoutSeconds));
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
    child.on('error', reject);
    child.on('close', finish);
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

function tail(text: string): string {
  const most = 4_000;
  return text.length <= most ? text : `[...]${text.slice(-most)}`;
}

const MAX_NAME = 120;
