import { readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { isSocketOf, SOCKET_SUFFIX } from './run-directory.js';

/** Removes what killed processes have left of a set's control sockets. One that a process listens at stays. */
export async function removeAbandonedSockets(runDirectory: string, setId: string): Promise<void> {
  for (const name of await namesIn(runDirectory)) {
    const path = join(runDirectory, name);
    if (isSocketOf(setId, name) && (await isAbandoned(path))) await rm(path, { force: true });
  }
}

/** The ids of the sets that processes serve, quick or slow. */
export async function servedSetsIn(runDirectory: string | undefined): Promise<readonly string[]> {
  if (runDirectory === undefined) return [];
  const names = (await namesIn(runDirectory)).filter((name) => name.endsWith(SOCKET_SUFFIX));
  const served = await Promise.all(names.map((name) => isListenedAt(join(runDirectory, name))));
  return names.filter((_, index) => served[index]).map((name) => name.slice(0, -SOCKET_SUFFIX.length));
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  return (await refusalAt(path)) === 'ECONNREFUSED';
}

/** A process has this socket, quick or slow. */
export async function isListenedAt(path: string): Promise<boolean> {
  const refusal = await refusalAt(path);
  return refusal === undefined || refusal === 'EAGAIN';
}

/** The kernel refuses for want of a listener; a process that is only slow is not refused for. Undefined: somebody listens. */
function refusalAt(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'unknown'));
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}
