import { join } from 'node:path';

/**
 * Directories in which the jobs of a set may be remembered, the best first: where the service manager says, the archive
 * of the map, the machine's own place, and the run directory, which a reboot empties.
 */
export function jobPlaces({ manager, archive, machine, runDirectory }: StateDirectories): readonly string[] {
  const places = [manager, archive, machine, runDirectory].filter((place) => place !== undefined);
  return [...new Set(places)];
}

/** Undefined: there is none. */
export interface StateDirectories {
  readonly manager: string | undefined;
  readonly archive: string | undefined;
  readonly machine: string | undefined;
  readonly runDirectory: string | undefined;
}

export function jobFileIn(directory: string, setId: string): string {
  return join(directory, `${setId}${JOB_FILE_SUFFIX}`);
}

/** Undefined: another file. */
export function setIdOfJobFile(fileName: string): string | undefined {
  return fileName.endsWith(JOB_FILE_SUFFIX) ? fileName.slice(0, -JOB_FILE_SUFFIX.length) : undefined;
}

const JOB_FILE_SUFFIX = '.jobs';
