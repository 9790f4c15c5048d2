import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder for disks and sockets of one scenario. Its name says which process owns it, so that what a killed run left
 * behind is removed by the next one. Short: the path of a unix socket has 107 characters.
 */
export function makeWorkDirectory(): string {
  const parent = join(tmpdir(), 'dm-remap-lab');
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, `${process.pid}-`));
}

/** Removes folders whose owner is gone. */
export function removeStaleWorkDirectories(): void {
  const parent = join(tmpdir(), 'dm-remap-lab');
  if (!existsSync(parent)) return;
  for (const entry of readdirSync(parent)) {
    const owner = Number(entry.split('-')[0]);
    if (!existsSync(`/proc/${owner}`)) rmSync(join(parent, entry), { recursive: true, force: true });
  }
}
