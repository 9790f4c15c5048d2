import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { workParent } from './work-directory.js';

/**
 * Waits for one of as many places as there are processors, shared by all laboratories on this host; answers with what
 * gives it back. More emulated machines than that are slower together than one after the other: their processors wait
 * for locks of others that don't run. A place whose owner died is free again; two that find that at the same moment may
 * both take it, which costs time only.
 */
export async function machineSlot(): Promise<() => void> {
  mkdirSync(workParent, { recursive: true });
  for (;;) {
    for (let index = 0; index < availableParallelism(); index++) {
      const path = join(workParent, `slot-${index}`);
      if (take(path)) return giveBackOnce(path);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function take(path: string): boolean {
  if (isStale(path)) rmSync(path, { force: true });
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A file without a number is one that its owner is just writing. */
function isStale(path: string): boolean {
  try {
    const owner = readFileSync(path, 'utf8');
    return owner !== '' && !existsSync(`/proc/${owner}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function giveBackOnce(path: string): () => void {
  const giveBack = (): void => {
    process.off('exit', giveBack);
    rmSync(path, { force: true });
  };
  process.on('exit', giveBack);
  return giveBack;
}

const RETRY_MS = 500;
