import { setTimeout as delay } from 'node:timers/promises';
import { xorshift } from '../../../support/xorshift.js';
import { PatternFile } from './pattern-file.js';

/** A part of a block device that one load has for itself, in sectors of 512 bytes. */
export interface Region {
  readonly path: string;
  readonly firstSector: number;
  readonly sectorCount: number;
}

/**
 * Writes, reads and flushes at random places of a region, in random sizes from one sector to 128 KiB, one I/O at a
 * time with O_DIRECT, and knows what every sector must hold. Goes on until `stop`; an error or a wrong sector ends it.
 */
export class VerifyingLoad {
  private readonly region: Region;
  private readonly file: PatternFile;
  private readonly random: () => number;
  private readonly pauseMs: number;
  /** What was written last, by sector of the region. */
  private readonly generations: Uint32Array;
  private readonly ended: Promise<void>;
  private stopping = false;
  private count = 0;

  /** `pauseMs`: between operations; it leaves the processors to others. */
  static async start(region: Region, seed: number, pauseMs = 0): Promise<VerifyingLoad> {
    const file = await PatternFile.open(region.path);
    await file.writeAll(region.firstSector, region.sectorCount, FIRST_GENERATION);
    return new VerifyingLoad(region, file, seed, pauseMs);
  }

  private constructor(region: Region, file: PatternFile, seed: number, pauseMs: number) {
    this.region = region;
    this.file = file;
    this.random = xorshift(seed);
    this.pauseMs = pauseMs;
    this.generations = new Uint32Array(region.sectorCount).fill(FIRST_GENERATION);
    this.ended = this.goOn();
    // Whoever stops it hears of the failure.
    this.ended.catch(() => {});
  }

  /** Operations so far. */
  get operationCount(): number {
    return this.count;
  }

  /** Ends it and reads everything again; throws what went wrong at any time. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.ended;
    const { firstSector, sectorCount } = this.region;
    await this.file.flush();
    await this.file.expect(firstSector, sectorCount, (lba) => this.generations[lba - firstSector]!);
    await this.file.close();
  }

  private async goOn(): Promise<void> {
    for (; !this.stopping; this.count += 1) {
      await this.operation(this.random() % 10);
      if (this.pauseMs > 0) await delay(this.pauseMs);
    }
  }

  private async operation(choice: number): Promise<void> {
    if (choice === 0) return this.file.flush();
    const { firstSector, sectorCount } = this.region;
    const length = 1 + (this.random() % MAX_SECTORS);
    const start = this.random() % (sectorCount - length + 1);
    if (choice < 4) {
      return this.file.expect(firstSector + start, length, (lba) => this.generations[lba - firstSector]!);
    }
    const generation = FIRST_GENERATION + 1 + this.count;
    await this.file.write(firstSector + start, length, generation);
    this.generations.fill(generation, start, start + length);
  }
}

const FIRST_GENERATION = 1;
const MAX_SECTORS = 256;
