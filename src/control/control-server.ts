import { rename, rm, stat, unlink } from 'node:fs/promises';
import { failed, ok, type Result } from '../base/result.js';
import { makeDirectories } from '../library/make-directories.js';
import { isListenedAt, removeAbandonedSockets } from './abandoned-sockets.js';
import { controlApp } from './control-app.js';
import { reopenedPathOf, socketPathOf } from './run-directory.js';
import type { ServedSet } from './served-set.js';

/**
 * Serves the control socket of a set. Whoever had the name before (a process that died, or one that hands over) loses
 * it: the socket is made under a name of its own and takes the place in one step. Fails with one line where the run
 * directory can't be used; the set itself does not need the socket.
 */
export async function serveControl(
  set: ServedSet,
  runDirectory: string,
): Promise<Result<ControlServer, string>> {
  const { setId } = set.device.info;
  const path = socketPathOf(runDirectory, setId);
  const ownPath = `${path}.${process.pid}`;
  // Its devices are locked: whoever has it open still has others.
  if (await isListenedAt(path)) return failed(`${path}: no control socket, because ${COPY}`);
  const app = await controlApp(set);
  try {
    await makeDirectories(runDirectory, 0o755);
    // One that was killed before it had the name may have had our process id.
    await rm(ownPath, { force: true });
    await listenPrivately(() => app.listen({ path: ownPath }));
    await rename(ownPath, path);
    // Now that the set is there again: until then they may say that it will be.
    await removeAbandonedSockets(runDirectory, setId);
    const { ino } = await stat(path);
    return ok({
      path,
      async close({ isReopened }) {
        if (await isOwn(path, ino)) await (isReopened ? markReopened(path) : unlink(path));
        await app.close();
      },
    });
  } catch (error) {
    await app.close();
    const { code, message } = error as NodeJS.ErrnoException;
    return failed(`${path}: no control socket (${code ?? message}); commands will not find the set there`);
  }
}

const COPY =
  'another process serves a set with the same id: one of them is a copy; stop the wrong one, "dmremap list" shows the other';

export interface ControlServer {
  readonly path: string;
  /** `isReopened`: this process, or the one that it hands over to, serves the set again in a moment. Clients can see that. */
  close(how: { readonly isReopened: boolean }): Promise<void>;
}

/** Nobody else can connect between making the socket and a chmod. */
async function listenPrivately(listen: () => Promise<unknown>): Promise<void> {
  const before = process.umask(0o177);
  try {
    await listen();
  } finally {
    process.umask(before);
  }
}

/** Not where another process has taken the name meanwhile. */
async function isOwn(path: string, ino: number): Promise<boolean> {
  try {
    return (await stat(path)).ino === ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function markReopened(path: string): Promise<void> {
  return rename(path, reopenedPathOf(path, process.pid));
}
