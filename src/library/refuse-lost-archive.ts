import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DmRemapError } from './errors.js';

/**
 * A directory for texts of the map is made where it is missing, the one above it is not: that would be a mistake in the name, or
 * what belongs there is not mounted. Rejects with `DmRemapError`.
 */
export async function refuseLostArchive(directory: string): Promise<void> {
  const above = dirname(resolve(directory));
  const isThere = await stat(above).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isThere) return;
  throw new DmRemapError(
    'device',
    `archive ${directory}: the directory ${above} is not there; make it, mount what belongs there, or name another one`,
  );
}
