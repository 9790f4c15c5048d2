import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What laboratories on this host have in common. */
export const workParent = join(tmpdir(), 'dm-remap-lab');

/**
 * A folder for disks and sockets of one scenario. Its name says which process owns it, so that what a killed run left
 * behind is removed by the next one. Short: the path of a unix socket has 107 characters.
 */
export function makeWorkDirectory(): string {
  mkdirSync(workParent, { recursive: true });
  const directory = mkdtempSync(join(workParent, `${process.pid}-`));
  process.setMaxListeners(0);
  process.once('exit', () => removeWorkDirectory(directory));
  return directory;
}

export function removeWorkDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

/** Removes folders whose owner is gone. */
export function removeStaleWorkDirectories(): void {
  if (!existsSync(workParent)) return;
  for (const entry of readdirSync(workParent)) {
    const owner = /^(\d+)-/.exec(entry)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`))
      rmSync(join(workParent, entry), { recursive: true, force: true });
  }
}
