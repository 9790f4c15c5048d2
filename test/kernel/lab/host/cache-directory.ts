import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Where kernels and logs are kept between runs: `DMREMAP_LAB_CACHE`, or `~/.cache/dm-remap-lab`. */
export const cacheDirectory = process.env.DMREMAP_LAB_CACHE ?? join(homedir(), '.cache/dm-remap-lab');

/**
 * Fills a folder of the cache. It appears under its name only when `fill` has done all of its work, so an interrupted
 * or a second run at the same time never sees half of it.
 */
export async function fillOnce(path: string, fill: (directory: string) => Promise<void>): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = mkdtempSync(join(dirname(path), `.${basename(path)}-`));
  try {
    await fill(unfinished);
    moveIntoPlace(unfinished, path);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Another run may have been quicker: then what it made is used. */
function moveIntoPlace(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}
