import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { setIdOfJobFile } from './job-places.js';
import { rememberedJobsSchema } from './remembered-jobs.js';

/**
 * What earlier processes have left of the jobs of all sets. All, because a spare that is being emptied has to be known
 * before the set is opened, and with it its id. A file that can't be used is passed over and told of.
 */
export async function readJobFiles(places: readonly string[]): Promise<JobFiles> {
  const bySet = new Map<string, JobFile>();
  const problems: string[] = [];
  for (const place of places) {
    for (const name of await namesIn(place, problems)) {
      const setId = setIdOfJobFile(name);
      if (setId === undefined) continue;
      const file = await fileAt(join(place, name), problems);
      const known = bySet.get(setId);
      if (file !== undefined && (known === undefined || file.writtenMs > known.writtenMs))
        bySet.set(setId, file);
    }
  }
  return { bySet, problems };
}

export interface JobFiles {
  readonly bySet: ReadonlyMap<string, JobFile>;
  /** A line each. */
  readonly problems: readonly string[];
}

export type JobFile = z.infer<typeof rememberedJobsSchema>;

/** UUIDs of spares on which nothing new is to be placed. */
export function leavingSparesIn({ bySet }: JobFiles): readonly string[] {
  return [...bySet.values()].flatMap(({ emptying }) => emptying.map(({ spareUuid }) => spareUuid));
}

async function namesIn(place: string, problems: string[]): Promise<string[]> {
  try {
    return await readdir(place);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') problems.push(`${place}: can't be read (${code}), nor jobs that it remembers`);
    return [];
  }
}

async function fileAt(path: string, problems: string[]): Promise<JobFile | undefined> {
  try {
    return rememberedJobsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    problems.push(`${path}: its jobs are not gone on with (${code ?? name}); begin them again`);
    return undefined;
  }
}
