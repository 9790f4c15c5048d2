import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeContents, fillPattern, readPattern, SECTOR_BYTES } from './sector-pattern.js';

/**
 * Files that take all the room of a file system, each flushed (fsync), in sectors that say which one of which file they
 * are: what is wrong later on tells what happened to it.
 */
export class FilledFiles {
  /** By number of the file. */
  readonly #sectorCounts: number[] = [];

  /** Smaller and smaller ones, until no block is free. Only their length may say so: an fsync that fails is a failure. */
  static async fill(directory: string): Promise<FilledFiles> {
    const files = new FilledFiles();
    for (const sectorCount of [LARGEST_SECTORS, 128, 2]) while (await files.#add(directory, sectorCount));
    return files;
  }

  /** Fails, naming the first sectors that are not as they were written. */
  async check(directory: string): Promise<void> {
    const wrong: string[] = [];
    for (const [number, sectorCount] of this.#sectorCounts.entries()) {
      const contents = readPattern(await readFile(pathOf(directory, number)));
      if (contents.length !== sectorCount) wrong.push(`file ${number}: ${contents.length} sectors`);
      for (const [index, sector] of contents.entries()) {
        const isRight = sector.kind === 'pattern' && sector.lba === addressOf(number) + index;
        if (!isRight) wrong.push(`file ${number}, sector ${index}: ${describeContents(sector)}`);
      }
    }
    if (wrong.length > 0) throw new Error(`${wrong.length} wrong sectors\n${wrong.slice(0, 20).join('\n')}`);
  }

  /** True: there was room for all of it. */
  async #add(directory: string, sectorCount: number): Promise<boolean> {
    const number = this.#sectorCounts.length;
    const bytes = new Uint8Array(sectorCount * SECTOR_BYTES);
    fillPattern(bytes, addressOf(number), 1);
    const writtenBytes = await writeWhatFits(pathOf(directory, number), bytes);
    if (writtenBytes > 0) this.#sectorCounts.push(writtenBytes / SECTOR_BYTES);
    return writtenBytes === bytes.length;
  }
}

/** Answers how many bytes there was room for. */
async function writeWhatFits(path: string, bytes: Uint8Array): Promise<number> {
  let writtenBytes = 0;
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'w');
    while (writtenBytes < bytes.length) {
      const lengthBytes = Math.min(PIECE_BYTES, bytes.length - writtenBytes);
      writtenBytes += (await file.write(bytes, writtenBytes, lengthBytes, writtenBytes)).bytesWritten;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
  // An error here is that of an earlier write: what was taken is not there.
  await file?.sync();
  await file?.close();
  return writtenBytes;
}

function pathOf(directory: string, number: number): string {
  return join(directory, `part${number}`);
}

function addressOf(number: number): number {
  return number * LARGEST_SECTORS;
}

const LARGEST_SECTORS = 8_192;
const PIECE_BYTES = 65_536;
