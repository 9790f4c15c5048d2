import { join } from 'node:path';

/**
 * Where the control sockets of running sets are, one `SETID.sock` each: what the service manager says, `/run/dm-remap` for
 * root, `$XDG_RUNTIME_DIR/dm-remap` for a user. Undefined where a user has no such directory.
 */
export function runDirectoryOf(environment: NodeJS.ProcessEnv, isRoot: boolean): string | undefined {
  // systemd separates several by colons.
  const fromManager = environment.RUNTIME_DIRECTORY?.split(':')[0];
  if (fromManager) return fromManager;
  if (isRoot) return OF_ROOT;
  const ofUser = environment.XDG_RUNTIME_DIR;
  return ofUser ? join(ofUser, 'dm-remap') : undefined;
}

/**
 * Where one looks for sets that are served: in the run directory, and for a user also where root's are, which serves most.
 * What the service manager says goes alone.
 */
export function directoriesToLookIn(environment: NodeJS.ProcessEnv, isRoot: boolean): string[] {
  const own = runDirectoryOf(environment, isRoot);
  if (environment.RUNTIME_DIRECTORY) return own === undefined ? [] : [own];
  return [...new Set([...(own === undefined ? [] : [own]), OF_ROOT])];
}

export function socketPathOf(runDirectory: string, setId: string): string {
  return join(runDirectory, `${setId}${SOCKET_SUFFIX}`);
}

/** Whether a file of the run directory is the control socket of a set, or one that was being made (`SETID.sock.PID`). */
export function isSocketOf(setId: string, fileName: string): boolean {
  const socketName = `${setId}${SOCKET_SUFFIX}`;
  return fileName === socketName || fileName.startsWith(`${socketName}.`);
}

/** What the socket of a set is called, without anybody at it, while the process that had it opens the set again. */
export function reopenedPathOf(socketPath: string, processId: number): string {
  return `${socketPath}${REOPENED}${processId}`;
}

/** By a file of that kind. */
export interface ReopenedSet {
  readonly setId: string;
  /** That served it; opening it again in place, it keeps this id. */
  readonly processId: number;
}

/** Undefined: the file says nothing of that. */
export function reopenedSetOf(fileName: string): ReopenedSet | undefined {
  const [setId, processId] = fileName.split(`${SOCKET_SUFFIX}${REOPENED}`);
  return processId === undefined ? undefined : { setId: setId!, processId: Number(processId) };
}

const OF_ROOT = '/run/dm-remap';

const REOPENED = '.reopened-by.';

export const SOCKET_SUFFIX = '.sock';
