import { constants, type FileHandle, open } from 'node:fs/promises';
import { type MappedMemory, mapMemory } from '../../../../src/kernel/aligned-memory.js';
import { errorCode } from './error-code.js';
import {
  describeContents,
  fillPattern,
  readPattern,
  SECTOR_BYTES,
  type SectorContents,
} from './sector-pattern.js';

/** The newest generation that a sector must have; null: anything may be there. */
export type ExpectedGeneration = number | ((lba: number) => number | null);

/**
 * A block device or file, read and written in self-describing sectors (`sector-pattern.ts`). Every call is one system
 * call with O_DIRECT, of at most 1 MiB; one at a time. Errors of the device are thrown as Node's, with `code`.
 */
export class PatternFile {
  readonly path: string;
  private readonly file: FileHandle;
  private readonly memory: MappedMemory = mapMemory(MAX_IO_BYTES);
  private busy = false;

  /** `flags`: further ones, O_DSYNC for example. */
  static async open(path: string, flags = 0): Promise<PatternFile> {
    return new PatternFile(path, await open(path, constants.O_RDWR | constants.O_DIRECT | flags));
  }

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.file = file;
  }

  /** Acknowledged, not flushed, when it comes back. */
  async write(lba: number, sectorCount: number, generation: number): Promise<void> {
    const bytes = this.take(sectorCount);
    fillPattern(bytes, lba, generation);
    const { bytesWritten } = await this.idleAfter(
      this.file.write(bytes, 0, bytes.length, lba * SECTOR_BYTES),
    );
    if (bytesWritten !== bytes.length) throw new Error(`${this.path}: short write at sector ${lba}`);
  }

  async read(lba: number, sectorCount: number): Promise<SectorContents[]> {
    const bytes = this.take(sectorCount);
    const { bytesRead } = await this.idleAfter(this.file.read(bytes, 0, bytes.length, lba * SECTOR_BYTES));
    if (bytesRead !== bytes.length) throw new Error(`${this.path}: short read at sector ${lba}`);
    return readPattern(bytes);
  }

  /** As `write`, for any number of sectors, in pieces. */
  async writeAll(lba: number, sectorCount: number, generation: number): Promise<void> {
    for (const [start, count] of pieces(lba, sectorCount)) await this.write(start, count, generation);
  }

  /** Fails, naming the first sectors that are not as expected. Any number of sectors, in pieces. */
  async expect(lba: number, sectorCount: number, expected: ExpectedGeneration): Promise<void> {
    const wrong: string[] = [];
    for (const [start, count] of pieces(lba, sectorCount)) {
      (await this.read(start, count)).forEach((contents, index) => {
        const sector = start + index;
        const generation = typeof expected === 'number' ? expected : expected(sector);
        if (generation === null || isPattern(contents, sector, generation)) return;
        wrong.push(`sector ${sector}: ${describeContents(contents)}, not generation ${generation}`);
      });
    }
    if (wrong.length === 0) return;
    throw new Error(`${this.path}: ${wrong.length} wrong sectors\n${wrong.slice(0, 10).join('\n')}`);
  }

  /** The error code that reading gives (`EIO`), or null. */
  readError(lba: number, sectorCount: number): Promise<string | null> {
    return errorCode(this.read(lba, sectorCount));
  }

  async flush(): Promise<void> {
    await this.file.sync();
  }

  async close(): Promise<void> {
    await this.file.close();
    this.memory.unmap();
  }

  private take(sectorCount: number): Uint8Array {
    if (this.busy) throw new Error(`${this.path}: one I/O at a time`);
    if (sectorCount * SECTOR_BYTES > MAX_IO_BYTES)
      throw new Error(`${sectorCount} sectors are too many for one I/O`);
    this.busy = true;
    return this.memory.bytes.subarray(0, sectorCount * SECTOR_BYTES);
  }

  private async idleAfter<Value>(work: Promise<Value>): Promise<Value> {
    try {
      return await work;
    } finally {
      this.busy = false;
    }
  }
}

function isPattern(contents: SectorContents, lba: number, generation: number): boolean {
  return contents.kind === 'pattern' && contents.lba === lba && contents.generation === generation;
}

function* pieces(lba: number, sectorCount: number): Generator<[number, number]> {
  const most = MAX_IO_BYTES / SECTOR_BYTES;
  for (let done = 0; done < sectorCount; done += most) yield [lba + done, Math.min(most, sectorCount - done)];
}

const MAX_IO_BYTES = 1 << 20;
