import { createWriteStream, realpathSync, type Stats, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readAtMost, readTextFile } from '../configuration/text-file.js';
import { DUMP_START } from '../device/set-dump.js';
import { DmRemapError } from '../library/errors.js';

/**
 * Writes a dump; the file appears when it is whole. Nothing but an earlier dump is replaced: a device or an image that
 * was named by mistake is worth more.
 */
export async function writeDumpFile(path: string, pieces: Iterable<string>): Promise<void> {
  const target = targetOf(path);
  const unfinished = `${target}.${process.pid}.part`;
  try {
    await pipeline(Readable.from(pieces), createWriteStream(unfinished, { flags: 'wx', flush: true }));
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw cannotBeWritten(path, error);
  }
}

/** Of a file or a pipe; whoever named something else by mistake gets an answer in any case. */
export function readDumpFile(path: string): string {
  const text = readTextFile(path, MAX_FILE_BYTES);
  if (text.ok) return text.value;
  const { code, problem } = text.error;
  throw new DmRemapError('usage', `${path}: ${problem}${code === undefined ? ', so it is no dump' : ''}`);
}

/** About two million moved units. */
const MAX_FILE_BYTES = 256 << 20;

/** The file that is written, or replaced. */
function targetOf(path: string): string {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return path;
    if (isReplaceable(path, stats)) return realpathSync(path);
  } catch (error) {
    throw error instanceof DmRemapError ? error : cannotBeWritten(path, error);
  }
  throw new DmRemapError('refused', `${path}: exists and is no dump; give the name of a new file`);
}

function cannotBeWritten(path: string, error: unknown): DmRemapError {
  const code = codeOf(error);
  const reason = PLACE_MISTAKES.get(code);
  if (reason === undefined) return new DmRemapError('io', `${path}: can't be written (${code})`);
  return new DmRemapError(
    'device',
    `${path}: can't be written, because ${reason} (${code}); name another file`,
  );
}

/** No file can be made there, whatever is to be written to it. */
const PLACE_MISTAKES: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'its folder does not exist'],
  ['ENOTDIR', 'a part of the path is no folder'],
  ['EACCES', 'this user may not write there'],
  ['EPERM', 'this user may not write there'],
  ['EROFS', 'that file system is read-only'],
  ['ELOOP', 'links in the path lead in a circle'],
  ['ENAMETOOLONG', 'a name in it is too long'],
]);

function isReplaceable(path: string, stats: Stats): boolean {
  if (!stats.isFile()) return false;
  const start = attempt(path, () => readAtMost(path, DUMP_START.length));
  return start.length === 0 || start.toString('latin1') === DUMP_START;
}

function attempt<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new DmRemapError('usage', `${path}: can't be read (${codeOf(error)})`);
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
