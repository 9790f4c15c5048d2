import { spawn, spawnSync } from 'node:child_process';

/** Runs a program to its end; throws, with all it said, unless it ends with status 0. Answers with its stdout. */
export async function runTool(
  command: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<string> {
  const outcome = await tryTool(command, args, options);
  if (outcome.status === 0) return outcome.stdout;
  throw new Error(`${describeOutcome(command, args, outcome)}`);
}

/** Runs a program to its end, whatever that is. It is killed after `timeoutMs`. */
export function tryTool(
  command: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 120_000,
      killSignal: 'SIGKILL',
      cwd: options.directory,
      env: options.environment,
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (status, signal) =>
      resolve({
        status,
        signal,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
  });
}

export interface ToolOptions {
  /** Default 120 s. */
  readonly timeoutMs?: number;
  /** Working directory: for tools that leave files behind. */
  readonly directory?: string;
  /** Instead of this process's. */
  readonly environment?: NodeJS.ProcessEnv;
}

export interface ToolOutcome {
  /** null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One line per tool that is not there, saying what to install (Debian's package names). */
export function missingTools(names: readonly ToolName[]): string[] {
  return names
    .filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0)
    .map((name) => `${name} is not installed: apt-get install ${PACKAGE_OF_TOOL[name]}`);
}

/** For `describe.skipIf`: true, with the reason printed, when a tool is missing. */
export function lacksTools(...names: ToolName[]): boolean {
  const missing = missingTools(names);
  for (const line of missing) console.warn(`skipped: ${line}`);
  return missing.length > 0;
}

const PACKAGE_OF_TOOL = {
  nbdinfo: 'libnbd-bin',
  nbdcopy: 'libnbd-bin',
  'qemu-img': 'qemu-utils',
  'qemu-io': 'qemu-utils',
  'qemu-nbd': 'qemu-utils',
  fio: 'fio',
  nbdkit: 'nbdkit',
  'nbd-server': 'nbd-server',
  nbdfuse: 'libnbd-bin',
  'mkfs.ext4': 'e2fsprogs',
  debugfs: 'e2fsprogs',
  'mkfs.xfs': 'xfsprogs',
  xfs_db: 'xfsprogs',
} as const;

export type ToolName = keyof typeof PACKAGE_OF_TOOL;

function describeOutcome(command: string, args: readonly string[], outcome: ToolOutcome): string {
  const end = outcome.signal === null ? `status ${outcome.status}` : `signal ${outcome.signal}`;
  return `${command} ${args.join(' ')} ended with ${end}\n${outcome.stdout}${outcome.stderr}`;
}
