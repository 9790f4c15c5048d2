import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { enabledSets } from '../boot/enabled-sets.js';
import { FileTree } from '../boot/file-tree.js';
import { setPaths } from '../boot/set-files.js';
import { isSocketOf } from '../control/run-directory.js';
import { parseUuid } from '../format/set-id.js';
import { DmRemapError } from '../library/errors.js';
import { disableAtBoot } from './boot-disable.js';
import type { CliContext } from './cli-context.js';
import { type FileOutcome, fileLine, resultOf } from './file-result.js';
import { jobFileIn, jobPlaces } from './jobs/job-places.js';

/** What `forget` does, for a set that is gone by now; nothing where the machine remembers nothing of it. */
export async function forgetSet(setId: string, context: CliContext): Promise<void> {
  const tree = new FileTree('/');
  const name = nameAtBoot(setId, tree);
  const files = tracesOf({ setId, archive: undefined }, context);
  const outcomes = removeTraces({ name, setId }, files, { root: '/', dryRun: false }, context);
  for (const file of outcomes) context.out.write(fileLine(file));
}

/** Files outside of boot: of processes in the run directory, and texts of the map in `archive`. */
export function tracesOf(
  { setId, archive: named }: { readonly setId: string | undefined; readonly archive: string | undefined },
  context: Pick<CliContext, 'runDirectory' | 'stateDirectory' | 'serviceManager'>,
): string[] {
  // They are removed below the root directory, not the one that a person is in.
  const archive = named && resolve(named);
  const { runDirectory, stateDirectory: machine, serviceManager } = context;
  const places = jobPlaces({ manager: serviceManager.stateDirectory, archive, machine, runDirectory });
  return [...leftovers(setId, runDirectory), ...jobFiles(setId, places), ...archived(setId, archive)];
}

/** What `boot enable` wrote, and these files. */
export function removeTraces(
  { name }: KnownSet,
  files: readonly string[],
  { root, dryRun }: { readonly root: string; readonly dryRun: boolean },
  context: CliContext,
): FileOutcome[] {
  const atBoot = name === undefined ? [] : disableAtBoot({ name, root, dryRun }, context);
  const real = new FileTree('/');
  return [
    ...atBoot,
    ...files.map(
      (path): FileOutcome => ({ path, outcome: dryRun ? 'would go' : resultOf(real.remove(path)) }),
    ),
  ];
}

export interface KnownSet {
  /** As it was enabled for boot. */
  readonly name: string | undefined;
  readonly setId: string | undefined;
}

/** The file that starts it at boot has both. */
export function knownSet(wanted: string, tree: FileTree): KnownSet {
  const sets = resultOf(enabledSets(tree)).map(({ name }) => ({ name, setId: idAtBoot(name, tree) }));
  const found = sets.find(({ name, setId }) => name === wanted || setId === wanted.toLowerCase());
  if (found !== undefined) return found;
  if (parseUuid(wanted).ok) return { name: undefined, setId: wanted.toLowerCase() };
  throw new DmRemapError(
    'device',
    // Sets that never start at boot have names that none of those has.
    `${wanted}: no set of this name is prepared for boot; give the set id to remove what else is left of it`,
  );
}

export function nameAtBoot(setId: string, tree: FileTree): string | undefined {
  return resultOf(enabledSets(tree)).find(({ name }) => idAtBoot(name, tree) === setId)?.name;
}

/** Of the set that starts at boot under this name. */
export function idAtBoot(name: string, tree: FileTree): string | undefined {
  return /^# dm-remap set ".*" \(([0-9a-f-]{36})\)/m.exec(
    resultOf(tree.read(setPaths(name).environment)),
  )?.[1];
}

/** Of a process that was killed, or started in the background. */
function leftovers(setId: string | undefined, runDirectory: string | undefined): string[] {
  if (setId === undefined || runDirectory === undefined) return [];
  return namesIn(runDirectory)
    .filter((name) => isSocketOf(setId, name) || name === `${setId}.log`)
    .map((name) => join(runDirectory, name));
}

/** What is remembered of long work. */
function jobFiles(setId: string | undefined, places: readonly string[]): string[] {
  if (setId === undefined) return [];
  return places.map((place) => jobFileIn(place, setId)).filter((path) => existsSync(path));
}

function archived(setId: string | undefined, directory: string | undefined): string[] {
  if (directory === undefined || setId === undefined) return [];
  return namesIn(directory)
    .filter((name) => name.startsWith(`${setId}_`) && name.endsWith('.txt'))
    .map((name) => join(directory, name));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new DmRemapError('system', `${directory}: can't be read (${code})`);
  }
}
