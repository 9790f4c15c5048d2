import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { xorshift } from '../../../support/xorshift.js';
import { expectEqual } from './expect.js';

/**
 * Files of a mounted file system that are replaced as careful programs do (write, fsync, rename), read and removed, one
 * after the other, until `stop`. Any error, and any file that is not as it was written, ends it.
 */
export class FileLoad {
  private readonly directory: string;
  private readonly random: () => number;
  /** By name. */
  private readonly checksums = new Map<string, string>();
  private readonly ended: Promise<void>;
  private stopping = false;
  private count = 0;

  constructor(directory: string, seed: number) {
    this.directory = directory;
    this.random = xorshift(seed);
    this.ended = this.goOn();
    // Whoever stops it hears of the failure.
    this.ended.catch(() => {});
  }

  get operationCount(): number {
    return this.count;
  }

  /** Throws what went wrong at any time. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.ended;
  }

  /** Reads every file that must be there. */
  async check(): Promise<void> {
    for (const name of this.checksums.keys()) await this.compare(name);
  }

  private async goOn(): Promise<void> {
    for (; !this.stopping; this.count += 1) await this.operation(`f${this.random() % FILE_COUNT}`);
  }

  private async operation(name: string): Promise<void> {
    if (!this.checksums.has(name) || this.random() % 2 === 0) return this.replace(name);
    if (this.random() % 4 > 0) return this.compare(name);
    await rm(join(this.directory, name));
    this.checksums.delete(name);
  }

  private async replace(name: string): Promise<void> {
    const contents = Buffer.alloc(this.random() % MAX_FILE_BYTES, `${name} ${this.count}\n`);
    const temporary = join(this.directory, `.${name}`);
    await written(await open(temporary, 'w'), contents);
    await rename(temporary, join(this.directory, name));
    this.checksums.set(name, checksum(contents));
  }

  private async compare(name: string): Promise<void> {
    const contents = await readFile(join(this.directory, name));
    expectEqual(checksum(contents), this.checksums.get(name), `checksum of ${name}`);
  }
}

async function written(file: FileHandle, contents: Buffer): Promise<void> {
  try {
    await file.writeFile(contents);
    await file.sync();
  } finally {
    await file.close();
  }
}

function checksum(contents: Buffer): string {
  return createHash('sha256').update(contents).digest('hex');
}

const FILE_COUNT = 20;
const MAX_FILE_BYTES = 200_000;
