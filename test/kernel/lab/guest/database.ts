import { constants, readFileSync } from 'node:fs';
import { type FileHandle, open, rename, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { xorshift } from '../../../support/xorshift.js';
import type { Acknowledged, Line } from './acknowledged.js';
import { expect } from './expect.js';
import { PatternFile } from './pattern-file.js';
import { describeContents } from './sector-pattern.js';

/**
 * A database in a directory, with the three ways in which programs make things durable: a table whose sectors are
 * changed in place with O_DIRECT and O_DSYNC, a log that is appended to and synced, and files that are written under
 * another name, synced and renamed. What is durable is told to `record` before anything else is done to it.
 */
export class Database {
  private readonly directory: string;
  private readonly record: (line: string) => Promise<void>;

  /** `record`: comes back when the line is known outside the machine. */
  constructor(directory: string, record: (line: string) => Promise<void>) {
    this.directory = directory;
    this.record = record;
  }

  /** Empty, durable, nothing of it acknowledged. */
  async create(): Promise<void> {
    const table = await open(this.path('table'), 'w');
    await table.write(Buffer.alloc(TABLE_SECTORS * 512));
    await synced(table);
    await (await PatternFile.open(this.path('table'))).writeAll(0, TABLE_SECTORS, 0);
    await synced(await open(this.path('log'), 'w'));
    await this.syncDirectory();
  }

  /** Fails unless everything is as acknowledged or newer; what is newer counts as acknowledged from now on. */
  async check(acknowledged: Acknowledged): Promise<void> {
    await this.checkTable(acknowledged);
    await this.checkLog(acknowledged);
    for (const [name, generation] of Object.entries(acknowledged.files)) {
      const found = generationOf(readFileSync(this.path(name)), name);
      expect(found >= generation, `${name} is of generation ${found}, acknowledged was ${generation}`);
      if (found > generation) await this.tell(['file', name, found]);
    }
  }

  /** Works on all parts at once, without end. Generations begin above `firstGeneration`, which is new every time. */
  async work(seed: number, firstGeneration: number, logCount: number): Promise<void> {
    await Promise.all([
      this.changeTable(xorshift(seed), firstGeneration),
      this.appendToLog(logCount),
      this.replaceFiles(xorshift(seed + 1), firstGeneration),
    ]);
  }

  private async changeTable(random: () => number, firstGeneration: number): Promise<void> {
    const table = await PatternFile.open(this.path('table'), constants.O_DSYNC);
    for (let generation = firstGeneration + 1; ; generation += 1) {
      const count = 1 + (random() % MAX_CHANGED_SECTORS);
      const sector = random() % (TABLE_SECTORS - count + 1);
      await table.write(sector, count, generation);
      await this.tell(['table', sector, count, generation]);
    }
  }

  private async appendToLog(logCount: number): Promise<void> {
    const log = await open(this.path('log'), 'a');
    for (let index = logCount; ; index += 1) {
      await log.write(logRecord(index));
      await log.datasync();
      await this.tell(['log', index + 1]);
    }
  }

  private async replaceFiles(random: () => number, firstGeneration: number): Promise<void> {
    for (let generation = firstGeneration + 1; ; generation += 1) {
      const name = `f${random() % FILE_COUNT}`;
      const file = await open(this.path(`.${name}`), 'w');
      await file.write(fileContents(name, generation));
      await synced(file);
      await rename(this.path(`.${name}`), this.path(name));
      await this.syncDirectory();
      await this.tell(['file', name, generation]);
    }
  }

  private async checkTable({ table }: Acknowledged): Promise<void> {
    const file = await PatternFile.open(this.path('table'));
    for (let first = 0; first < TABLE_SECTORS; first += READ_SECTORS) {
      for (const [index, contents] of (await file.read(first, READ_SECTORS)).entries()) {
        const sector = first + index;
        const isGood = contents.kind === 'pattern' && contents.lba === sector;
        expect(
          isGood && contents.generation >= table[sector]!,
          `sector ${sector} of the table: ${describeContents(contents)}, acknowledged was ${table[sector]}`,
        );
        if (contents.generation > table[sector]!) await this.tell(['table', sector, 1, contents.generation]);
      }
    }
    await file.close();
  }

  /** A record that was being appended is cut off, as a database would. */
  private async checkLog(acknowledged: Acknowledged): Promise<void> {
    const bytes = readFileSync(this.path('log'));
    let endBytes = 0;
    let count = 0;
    for (let next = logRecord(0); bytes.subarray(endBytes, endBytes + next.length).equals(next); ) {
      endBytes += next.length;
      count += 1;
      next = logRecord(count);
    }
    expect(count >= acknowledged.logCount, `${count} records in the log, not ${acknowledged.logCount}`);
    await truncate(this.path('log'), endBytes);
    await synced(await open(this.path('log'), 'a'));
    acknowledged.logCount = count;
    await this.tell(['log', count]);
  }

  private async syncDirectory(): Promise<void> {
    await synced(await open(this.directory, constants.O_DIRECTORY));
  }

  private tell(line: Line): Promise<void> {
    return this.record(JSON.stringify(line));
  }

  private path(name: string): string {
    return join(this.directory, name);
  }
}

async function synced(file: FileHandle): Promise<void> {
  await file.sync();
  await file.close();
}

/** Different in length and contents for every index. */
function logRecord(index: number): Buffer {
  return Buffer.from(`${index}:${String.fromCharCode(97 + (index % 26)).repeat((index * 397) % 3_001)}\n`);
}

/** To 100 KB: new blocks are written all the time. */
function fileContents(name: string, generation: number): Buffer {
  return Buffer.alloc(64 + ((generation * 7_919) % 100_000), `${name} ${generation}\n`);
}

/** Fails unless the contents are what some generation of this file had. */
function generationOf(contents: Buffer, name: string): number {
  const generation = Number(contents.toString('latin1', 0, 64).split('\n')[0]!.split(' ')[1]);
  expect(contents.equals(fileContents(name, generation)), `${name} is not as any generation was`);
  return generation;
}

export const TABLE_SECTORS = 4_096;
const MAX_CHANGED_SECTORS = 64;
const READ_SECTORS = 1_024;
const FILE_COUNT = 24;
