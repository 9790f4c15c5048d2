import { ERRNO } from '../base/errno.js';
import { BLOCK_BYTES, type BlockModel } from './block-model.js';
import { type NbdClient, NbdRequestError } from './nbd-client.js';
import type { Random } from './random.js';

/** Random requests, many in flight, over one NBD connection; every answer is compared with the model. */
export class Workload {
  readonly tally: Tally = { requests: 0, bytesWritten: 0, bytesVerified: 0, lostAnswers: 0, problemCount: 0 };
  /** What was wrong, in words; the first few. */
  readonly problems: string[] = [];
  /** How much of the device the last `verifyAll` has read, from 0 to 1. */
  verifiedShare = 0;
  #client: NbdClient;
  readonly #model: BlockModel;
  readonly #random: Random;
  /** Where bad places begin: requests are drawn to them. */
  readonly #badBlocks: readonly number[];

  constructor(client: NbdClient, model: BlockModel, random: Random, badBlocks: readonly number[]) {
    this.#client = client;
    this.#model = model;
    this.#random = random;
    this.#badBlocks = badBlocks;
  }

  /** After a restart of the device. */
  reconnected(client: NbdClient): void {
    this.#client = client;
  }

  /** Goes on until `isOver` says so, or something is wrong. */
  async run(isOver: () => boolean): Promise<void> {
    await this.#inParallel(async () => {
      while (!isOver() && this.problems.length === 0) await this.#oneRequest();
    });
    await this.#guarded('flush', 0, 0, () => this.#client.flush());
  }

  /** Reads the whole device. */
  async verifyAll(): Promise<void> {
    let next = 0;
    await this.#inParallel(async () => {
      while (next < this.#model.blockCount && this.problems.length < PROBLEMS_MAX) {
        const first = next;
        const count = Math.min(REQUEST_BLOCKS_MAX, this.#model.blockCount - first);
        next += count;
        this.verifiedShare = first / this.#model.blockCount;
        await this.#read(first, count);
      }
    });
    this.verifiedShare = next / this.#model.blockCount;
  }

  async #inParallel(task: () => Promise<void>): Promise<void> {
    await Promise.all(Array.from({ length: REQUESTS_IN_FLIGHT }, task));
  }

  async #oneRequest(): Promise<void> {
    const count = 1 + this.#random.below(this.#random.chance(20) ? REQUEST_BLOCKS_MAX : 16);
    const first = this.#placeFor(count);
    if (!this.#model.tryReserve(first, count)) return;
    try {
      if (this.#random.chance(50) || this.#mayOnlyRead(first, count)) await this.#read(first, count);
      else if (this.#random.chance(5)) await this.#zero(first, count);
      else await this.#write(first, count);
      if (this.#random.chance(1)) await this.#guarded('flush', 0, 0, () => this.#client.flush());
    } finally {
      this.#model.release(first, count);
    }
  }

  #mayOnlyRead(first: number, count: number): boolean {
    return this.#model.isArchive(first, count) || this.#model.mustReadFirst(first, count);
  }

  #placeFor(count: number): number {
    const lastPlace = this.#model.blockCount - count;
    if (!this.#random.chance(15)) return this.#random.below(lastPlace + 1);
    const near = this.#badBlocks[this.#random.below(this.#badBlocks.length)]! - this.#random.below(count);
    return Math.min(Math.max(near, 0), lastPlace);
  }

  async #write(first: number, count: number): Promise<void> {
    const data = this.#model.nextContents(first, count);
    const options = { fua: this.#random.chance(2) };
    const done = await this.#guarded('write', first, count, () =>
      this.#client.write(first * BLOCK_BYTES, data, options),
    );
    if (!done) return;
    this.#model.written(first, count);
    this.tally.bytesWritten += data.length;
  }

  async #zero(first: number, count: number): Promise<void> {
    const zero = () => this.#client.zero(first * BLOCK_BYTES, count * BLOCK_BYTES);
    if (await this.#guarded('zero', first, count, zero)) this.#model.zeroed(first, count);
  }

  /** A read that fails is repeated block by block: exactly the lost ones may fail, and they must. */
  async #read(first: number, count: number): Promise<void> {
    const data = await this.#readOnce(first, count);
    if (data === undefined) return;
    if (data !== 'lost') return this.#compare(data, first, count);
    if (count === 1) {
      if (!this.#model.isLost(first)) this.#problem(`block ${first} gave an error, but it was never lost`);
      this.#model.foundLost(first);
      this.tally.lostAnswers += 1;
      return;
    }
    for (let block = first; block < first + count; block += 1) await this.#read(block, 1);
  }

  async #readOnce(first: number, count: number): Promise<Uint8Array | 'lost' | undefined> {
    try {
      return await this.#client.read(first * BLOCK_BYTES, count * BLOCK_BYTES);
    } catch (error) {
      if (error instanceof NbdRequestError && error.errno === ERRNO.EIO) return 'lost';
      this.#problem(`read of ${count} blocks from ${first} failed: ${String(error)}`);
      return undefined;
    } finally {
      this.tally.requests += 1;
    }
  }

  #compare(data: Uint8Array, first: number, count: number): void {
    if (this.#model.anyLost(first, count)) {
      this.#problem(
        `blocks ${first} to ${first + count - 1} were read without an error, but some of them are lost`,
      );
      return;
    }
    const mistake = this.#model.firstMistake(data, first);
    if (mistake !== undefined) this.#problem(mistake);
    else this.tally.bytesVerified += data.length;
  }

  async #guarded(name: string, first: number, count: number, request: () => Promise<void>): Promise<boolean> {
    this.tally.requests += 1;
    try {
      await request();
      return true;
    } catch (error) {
      this.#problem(`${name} of ${count} blocks from ${first} failed: ${String(error)}`);
      return false;
    }
  }

  #problem(text: string): void {
    this.tally.problemCount += 1;
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(text);
  }
}

export interface Tally {
  requests: number;
  bytesWritten: number;
  /** Read and found to be what was written. */
  bytesVerified: number;
  /** Single blocks that rightly gave an error. */
  lostAnswers: number;
  /** Anything that should not have happened. */
  problemCount: number;
}

const REQUESTS_IN_FLIGHT = 16;
/** 64 KiB. */
const REQUEST_BLOCKS_MAX = 128;
const PROBLEMS_MAX = 10;
