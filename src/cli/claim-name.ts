import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type LockFile, takeLockFile } from '../kernel/lock-file.js';
import { DmRemapError } from '../library/errors.js';
import { makeDirectories } from '../library/make-directories.js';
import type { CliContext } from './cli-context.js';

/**
 * Has one process at a time serve a set under a name, of those that share the run directory: two that start at the same moment do
 * not see each other's sockets yet. Undefined where there is nothing to claim, or no place for it. Rejects where another has it.
 */
export async function claimName(
  name: string,
  { runDirectory, library }: Pick<CliContext, 'runDirectory' | 'library'>,
): Promise<LockFile | undefined> {
  if (name === '' || runDirectory === undefined) return undefined;
  const path = join(runDirectory, `${encodeURIComponent(name)}.name`);
  // What is wrong with the directory is told where the socket is made.
  await makeDirectories(runDirectory, 0o755).catch(() => {});
  for (let look = 1; ; look += 1) {
    const lock = takeLockFile(path, String(process.pid));
    if (lock.ok) return lock.value;
    if (lock.error.kind === 'unusable') return undefined;
    const holder = Number(lock.error.text);
    // The last I/O of one that was killed may be under way, and its lock is there as long.
    const isGoing = holder === 0 || !(await library.isProcessAlive(holder));
    if (!isGoing || look === GOING_LOOKS) throw taken(name, holder);
    await delay(GOING_PAUSE_MS);
  }
}

function taken(name: string, processId: number): DmRemapError {
  return new DmRemapError(
    'device',
    `${name}: exists already, served by process ${processId}; give this set another name`,
  );
}

const GOING_LOOKS = 40;
const GOING_PAUSE_MS = 50;
