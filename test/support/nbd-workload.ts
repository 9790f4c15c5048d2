import { closeSync, openSync, writeSync } from 'node:fs';
import { NbdClient, NbdRequestError } from '../../src/demo/nbd-client.js';
import type { BlockModel } from '../../src/device/testing/block-model.js';
import { xorshift } from './xorshift.js';

/**
 * Random requests over NBD, several at a time, checked against a model. Each 512-byte block carries a number at both
 * ends that says which write it comes from.
 */
export class NbdWorkload {
  readonly #model: BlockModel;
  readonly #blockCount: number;
  readonly #random: () => number;
  #nextContents = 100_000_000;
  readonly writeErrors: string[] = [];
  readonly lostBlocks = new Set<number>();
  verifiedBlocks = 0;

  constructor(model: BlockModel, blockCount: number, seed: number) {
    this.#model = model;
    this.#blockCount = blockCount;
    this.#random = xorshift(seed);
  }

  /** Block n of a new image contains n + 1. */
  static fillImage(path: string, blockCount: number): void {
    const file = openSync(path, 'r+');
    for (let first = 0; first < blockCount; first += 2048) {
      const count = Math.min(2048, blockCount - first);
      const part = Buffer.alloc(count * BLOCK_BYTES);
      for (let index = 0; index < count; index += 1) fill(part, index * BLOCK_BYTES, first + index + 1);
      writeSync(file, part, 0, part.length, first * BLOCK_BYTES);
    }
    closeSync(file);
  }

  /** Runs until the server is killed or ends; what was unanswered then may have happened or not. */
  async runUntilGone(socketPath: string, depth: number): Promise<void> {
    const client = await NbdClient.connect({ address: { path: socketPath } });
    await this.#runLoops(client, depth, Number.POSITIVE_INFINITY);
    client.destroy();
    this.#model.crash();
  }

  async run(socketPath: string, depth: number, requestCount: number): Promise<void> {
    const client = await NbdClient.connect({ address: { path: socketPath } });
    await this.#runLoops(client, depth, requestCount);
    await client.disconnect();
  }

  /** Reads everything in pieces, and block by block where a piece fails. */
  async verifyAll(socketPath: string): Promise<void> {
    const client = await NbdClient.connect({ address: { path: socketPath } });
    let next = 0;
    const loop = async (): Promise<void> => {
      while (next < this.#blockCount) {
        const first = next;
        next += PIECE_BLOCKS;
        await this.#verifyPiece(client, first);
      }
    };
    await Promise.all(Array.from({ length: 16 }, loop));
    await client.disconnect();
  }

  async #verifyPiece(client: NbdClient, first: number): Promise<void> {
    if (await this.#read(client, first, PIECE_BLOCKS, false)) return;
    for (let block = first; block < first + PIECE_BLOCKS; block += 1)
      await this.#read(client, block, 1, true);
  }

  async #runLoops(client: NbdClient, depth: number, requestCount: number): Promise<void> {
    let left = requestCount;
    const loop = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        if (!(await this.#one(client))) return;
      }
    };
    await Promise.all(Array.from({ length: depth }, loop));
  }

  /** False when the connection is gone. */
  async #one(client: NbdClient): Promise<boolean> {
    const kind = this.#random() % 16;
    const count = 1 + (this.#random() % (kind === 1 ? 512 : 16));
    const first = this.#random() % (this.#blockCount - count);
    try {
      if (kind === 0) await client.flush();
      else if (kind === 2) await this.#zero(client, first, count);
      else if (kind < 8) await this.#read(client, first, count, true);
      else await this.#write(client, first, count);
      return true;
    } catch (error) {
      if (error instanceof NbdRequestError && error.errno !== ESHUTDOWN) throw error;
      return false;
    }
  }

  async #write(client: NbdClient, first: number, count: number): Promise<void> {
    const contents = this.#nextContents++;
    const payload = Buffer.alloc(count * BLOCK_BYTES);
    for (let index = 0; index < count; index += 1) fill(payload, index * BLOCK_BYTES, contents);
    const fua = this.#random() % 4 === 0;
    await this.#overwrite(first, count, contents, () => client.write(first * BLOCK_BYTES, payload, { fua }));
  }

  async #zero(client: NbdClient, first: number, count: number): Promise<void> {
    await this.#overwrite(first, count, 0, () => client.zero(first * BLOCK_BYTES, count * BLOCK_BYTES));
  }

  async #overwrite(
    first: number,
    count: number,
    contents: number,
    request: () => Promise<void>,
  ): Promise<void> {
    const writes = Array.from({ length: count }, (_, index) =>
      this.#model.beginWrite(first + index, contents),
    );
    try {
      await request();
    } catch (error) {
      if (!(error instanceof NbdRequestError) || error.errno === ESHUTDOWN) throw error;
      this.writeErrors.push(`blocks ${first}-${first + count - 1}: errno ${error.errno}`);
      return;
    }
    for (const [index, write] of writes.entries()) this.#model.endWrite(first + index, write);
  }

  /** False if the read failed with EIO; `mustBeJust`: then some block of it must really be lost. */
  async #read(client: NbdClient, first: number, count: number, mustBeJust: boolean): Promise<boolean> {
    const blocks = Array.from({ length: count }, (_, index) => first + index);
    const reads = blocks.map((block) => this.#model.beginRead(block));
    let data: Buffer;
    try {
      data = await client.read(first * BLOCK_BYTES, count * BLOCK_BYTES);
    } catch (error) {
      if (!(error instanceof NbdRequestError) || error.errno !== EIO) throw error;
      if (mustBeJust) this.#model.checkLost(blocks, reads);
      if (count === 1) this.lostBlocks.add(first);
      return false;
    }
    for (const [index, block] of blocks.entries()) {
      this.#model.endRead(block, contentsAt(data, index * BLOCK_BYTES), reads[index]!);
    }
    this.verifiedBlocks += count;
    return true;
  }
}

const BLOCK_BYTES = 512;
const EIO = 5;
/** The server ends in order. */
const ESHUTDOWN = 108;
const PIECE_BLOCKS = 64;

function fill(target: Buffer, offset: number, contents: number): void {
  target.fill(contents & 0xff, offset, offset + BLOCK_BYTES);
  target.writeUInt32LE(contents, offset);
  target.writeUInt32LE(contents, offset + BLOCK_BYTES - 4);
}

/** -1 for a block that is not of one write from end to end. */
function contentsAt(data: Buffer, offset: number): number {
  const contents = data.readUInt32LE(offset);
  const isWhole = data.readUInt32LE(offset + BLOCK_BYTES - 4) === contents;
  return isWhole && data[offset + 200] === (contents & 0xff) ? contents : -1;
}
