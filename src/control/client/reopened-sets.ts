import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ReopenedSet, reopenedSetOf } from '../run-directory.js';

/**
 * Sets that nobody can be asked about for a moment: who served them opens them again, or has handed them over just now. What
 * a process left that died over it counts only as long as another one may be about to take over.
 */
export async function reopenedSets(
  runDirectory: string,
  isProcessAlive: (processId: number) => Promise<boolean>,
  nowMs = Date.now(),
): Promise<ReopenedSet[]> {
  const found: ReopenedSet[] = [];
  for (const name of namesIn(runDirectory)) {
    const set = reopenedSetOf(name);
    if (set === undefined) continue;
    const isFresh = nowMs - changedMs(join(runDirectory, name)) < HAND_OVER_MS;
    if (isFresh || (await isProcessAlive(set.processId))) found.push(set);
  }
  return found;
}

/** What is wrong with the directory is said by whoever looks for sockets in it. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** When it got its name; long ago, where it is gone by now. */
function changedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0;
}

/** Who takes over starts Node, and opens the devices. */
const HAND_OVER_MS = 10_000;
