import { spawnSync } from 'node:child_process';

/** Runs a program of the host to its end and answers with its standard output; throws, with all it said, if it fails. */
export function tool(
  command: string,
  args: readonly string[],
  options: {
    readonly directory?: string;
    readonly env?: Record<string, string>;
    readonly input?: string;
  } = {},
): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: options.directory,
    env: { ...process.env, ...options.env },
    input: options.input ?? '',
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with status ${status}\n${stdout}${stderr}`);
  return stdout;
}
