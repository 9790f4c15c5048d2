import { type Stats, statSync } from 'node:fs';

/** What a path leads to; undefined where nothing is there, or where nobody may look: opening it says why. */
export function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // EACCES, ELOOP, ENAMETOOLONG, ENOTDIR: no path that can be opened either.
    return undefined;
  }
}
