import type { Stats } from 'node:fs';
import { isSamePath } from '../control/client/is-same-path.js';
import { statIfThere } from '../kernel/stat-if-there.js';
import { DmRemapError } from '../library/errors.js';

/**
 * Refuses a path for a socket at which something else is, before any device is opened. An image given by mistake must not be
 * taken for something to remove. Whether a socket there is in use shows when it is listened on.
 */
export function checkSocketPlace(
  path: string,
  { main, spares }: { readonly main: string; readonly spares: readonly string[] },
): void {
  const stats = statIfThere(path);
  if (stats === undefined || stats.isSocket()) return;
  const isMember = [main, ...spares].some((member) => isSamePath(member, path));
  const what = isMember ? 'a device of this set' : kindOf(stats);
  throw new DmRemapError(
    'usage',
    `--nbd: ${path} is ${what}, and no socket; it is left alone. Give a path at which nothing is, for example ${EXAMPLE}`,
  );
}

function kindOf(stats: Stats): string {
  if (stats.isFile()) return 'a file';
  if (stats.isDirectory()) return 'a directory';
  return stats.isBlockDevice() ? 'a block device' : 'something else';
}

const EXAMPLE = '"nbd+unix:///?socket=/run/dm-remap/NAME.nbd"';
