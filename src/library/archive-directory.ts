import { createWriteStream } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeDirectory } from './make-directories.js';

/**
 * Texts of maps, as LVM archives its metadata: `SETID_TIME-NUMBER_gGENERATION.txt`, the newest ones of each set, a bounded
 * number of bounded size. A file appears when it is whole.
 */
export class ArchiveDirectory {
  readonly #path: string;
  readonly #limits: ArchiveLimits;

  constructor(path: string, limits: ArchiveLimits = ARCHIVE_LIMITS) {
    this.#path = path;
    this.#limits = limits;
  }

  /** Adds a text, unless it is what the newest one says, and removes the oldest; answers what is wrong, as one line. */
  async add(name: ArchiveName, pieces: Iterable<string>): Promise<string | undefined> {
    const unfinished = join(this.#path, `${name.setId}.part`);
    try {
      // Not those above it: where a stick is unmounted they would come to be on another disk.
      await makeDirectory(this.#path, 0o700);
      await pipeline(Readable.from(pieces), createWriteStream(unfinished, { flush: true, mode: 0o600 }));
      const files = await this.#filesOf(name.setId);
      if (await isSame(unfinished, files.at(-1))) await rm(unfinished);
      else await this.#keep(unfinished, name, files);
      return undefined;
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => {});
      return `${this.#path}: can't be written (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
    }
  }

  async #keep(unfinished: string, name: ArchiveName, files: readonly ArchiveFile[]): Promise<void> {
    const { time, number } = placeAfter(files.at(-1));
    const place = `${time}-${String(number).padStart(3, '0')}`;
    const path = join(this.#path, `${name.setId}_${place}_g${name.generation}.txt`);
    await rename(unfinished, path);
    const directory = await open(this.#path, 'r');
    await directory.sync().finally(() => directory.close());
    const { size } = await stat(path);
    await this.#prune([...files, { path, sizeBytes: size, time, number }]);
  }

  /** The newest always stays. */
  async #prune(files: readonly ArchiveFile[]): Promise<void> {
    let keptCount = 0;
    let keptBytes = 0;
    for (const { path, sizeBytes } of files.toReversed()) {
      keptCount += 1;
      keptBytes += sizeBytes;
      const isTooMuch = keptCount > this.#limits.fileCount || keptBytes > this.#limits.totalBytes;
      if (isTooMuch && keptCount > 1) await rm(path, { force: true });
    }
  }

  /** Oldest first. */
  async #filesOf(setId: string): Promise<ArchiveFile[]> {
    const files: ArchiveFile[] = [];
    for (const fileName of await readdir(this.#path)) {
      const place = fileName.startsWith(`${setId}_`) ? placeIn(fileName) : undefined;
      if (place === undefined) continue;
      const path = join(this.#path, fileName);
      files.push({ path, sizeBytes: (await stat(path)).size, ...place });
    }
    return files.sort(inOrder);
  }
}

export interface ArchiveName {
  readonly setId: string;
  readonly generation: number;
}

export interface ArchiveLimits {
  readonly fileCount: number;
  readonly totalBytes: number;
}

/** Of each set. A map of a thousand moved units takes about 100 KiB. */
export const ARCHIVE_LIMITS: ArchiveLimits = { fileCount: 100, totalBytes: 64 << 20 };

interface ArchiveFile extends Place {
  readonly path: string;
  readonly sizeBytes: number;
}

/** Among the files of a set, as their names say. */
interface Place {
  readonly time: string;
  readonly number: number;
}

function placeIn(fileName: string): Place | undefined {
  const [, time, number] = PLACE.exec(fileName) ?? [];
  return time === undefined ? undefined : { time, number: Number(number) };
}

/** Behind the newest, also within a second, and where the clock is behind what it was before. */
function placeAfter(newest: Place | undefined): Place {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  if (newest === undefined || time > newest.time) return { time, number: 0 };
  return { time: newest.time, number: newest.number + 1 };
}

function inOrder(one: Place, other: Place): number {
  if (one.time === other.time) return one.number - other.number;
  return one.time < other.time ? -1 : 1;
}

const PLACE = /_(\d{8}T\d{6}Z)-(\d+)_g\d+\.txt$/;

async function isSame(path: string, newest: ArchiveFile | undefined): Promise<boolean> {
  if (newest === undefined || (await stat(path)).size !== newest.sizeBytes) return false;
  const [one, other] = await Promise.all([readFile(path), readFile(newest.path)]);
  return one.equals(other);
}
