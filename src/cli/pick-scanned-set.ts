import { resolve } from 'node:path';
import { DmRemapError } from '../library/errors.js';
import type { ScannedSet } from '../library/scan-types.js';
import { labelOf } from './scan-verdict.js';

/** The set that a person means among those that a scan has found: by name, set id, main device or spare. */
export function pickScannedSet(sets: readonly ScannedSet[], wanted: string): ScannedSet {
  const matching = sets.filter(({ setId, name, main, spares }) => {
    const paths = [main.path, ...spares.map(({ path }) => path)].filter((path) => path !== null);
    return (
      wanted.toLowerCase() === setId ||
      wanted === name ||
      paths.some((path) => resolve(path) === resolve(wanted))
    );
  });
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only;
  if (only !== undefined) {
    const ids = matching.map(({ setId }) => setId).join(', ');
    throw new DmRemapError('usage', `${wanted} means several sets: ${ids}; give the set id`);
  }
  const there = sets.length === 0 ? NONE_FOUND : `these were: ${sets.map(labelOf).join(', ')}`;
  throw new DmRemapError('device', `${wanted}: no such set was found; ${there}`);
}

const NONE_FOUND = 'none was (image files are found with --device)';
