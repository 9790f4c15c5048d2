import { DiskCache } from './disk-cache.js';
import { BlockFlag, type DiskFaults } from './disk-faults.js';
import type { SimDiskOptions } from './sim-disk-options.js';
import type { SimIo } from './sim-io.js';

/** The bytes of a disk, with what of them is in its cache only, and how writes come to be there: whole, in part, or torn. */
export class DiskContents {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly cache: DiskCache | undefined;
  /** By offset: pages that are read as something else than they are, until they are written. */
  readonly lies = new Map<number, Uint8Array>();
  readonly #options: SimDiskOptions;
  readonly #faults: DiskFaults;
  readonly #blockBytes: number;

  constructor(options: SimDiskOptions, faults: DiskFaults) {
    const { contents, stable, blockBytes, random } = options;
    this.#options = options;
    this.#faults = faults;
    this.#blockBytes = blockBytes;
    this.bytes = contents;
    this.view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
    if (options.hasVolatileCache) this.cache = new DiskCache(contents, stable, blockBytes, random);
  }

  /** The bytes of a block on stable storage, if they are others than `bytes`. */
  stableViewOf(block: number): DataView | undefined {
    if (this.cache?.isAhead(block) !== true) return undefined;
    const { stable } = this.#options;
    return new DataView(stable.buffer, stable.byteOffset + block * this.#blockBytes, this.#blockBytes);
  }

  /** Changes bytes behind everybody's back, durably; what was read there instead of them is forgotten. */
  overwrite(offsetBytes: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, offsetBytes);
    const end = offsetBytes + bytes.length;
    for (let at = offsetBytes; at < end; at += this.#blockBytes) this.cache?.clean(at / this.#blockBytes);
    this.#endLies(offsetBytes, bytes.length);
  }

  readInto({ offsetBytes, lengthBytes, memoryOffset }: SimIo): void {
    const { bytes } = this.#options.memory;
    bytes.set(this.bytes.subarray(offsetBytes, offsetBytes + lengthBytes), memoryOffset);
    for (const [at, page] of this.lies) {
      const within = at - offsetBytes;
      if (within >= 0 && within + page.length <= lengthBytes) bytes.set(page, memoryOffset + within);
    }
  }

  /** Puts so many of its blocks where they belong. */
  apply(io: SimIo, from: number, blockCount: number): void {
    const first = io.offsetBytes / this.#blockBytes + from;
    for (let block = first; block < first + blockCount; block += 1) {
      this.cache?.beforeWrite(block, io.serial);
    }
    const at = first * this.#blockBytes;
    const lengthBytes = blockCount * this.#blockBytes;
    const source = io.memoryOffset + from * this.#blockBytes;
    if (io.kind === 'write')
      this.bytes.set(this.#options.memory.bytes.subarray(source, source + lengthBytes), at);
    else if (io.kind === 'writeZeroes' || this.#options.random.chance(1, 2))
      this.bytes.fill(0, at, at + lengthBytes);
    io.isApplied = true;
    if (this.lies.size > 0) this.#endLies(at, lengthBytes);
  }

  applyPerhaps(io: SimIo): void {
    const { random } = this.#options;
    const first = io.offsetBytes / this.#blockBytes;
    const blockCount = io.lengthBytes / this.#blockBytes;
    const mayBeWhole = random.chance(3, 4);
    const fails = (): boolean =>
      !this.#faults.isFlawless && this.#faults.findFailing('write', first, blockCount) !== -1;
    if (mayBeWhole && !fails()) this.apply(io, 0, blockCount);
    else this.applyInPart(io);
  }

  /** Any of its blocks, except the one that failed. */
  applyInPart(io: SimIo, failing = -1): void {
    const { random } = this.#options;
    const first = io.offsetBytes / this.#blockBytes;
    const times = random.below(5);
    for (let index = 0; index < io.lengthBytes / this.#blockBytes; index += 1) {
      if (first + index === failing || this.#faults.has(first + index, BlockFlag.unwritable)) continue;
      if (random.chance(times, 4)) this.apply(io, index, 1);
    }
  }

  /** A page of metadata, cut off at any byte: of those between the first and the last one that changes. */
  tearInside(io: SimIo): void {
    const { random, memory } = this.#options;
    const source = memory.bytes.subarray(io.memoryOffset, io.memoryOffset + io.lengthBytes);
    const torn = this.bytes.slice(io.offsetBytes, io.offsetBytes + io.lengthBytes);
    const first = torn.findIndex((byte, index) => byte !== source[index]);
    const last = torn.findLastIndex((byte, index) => byte !== source[index]);
    io.isApplied = true;
    if (first === -1) return;
    const cut = first + random.below(last - first + 2);
    if (random.chance(1, 2)) torn.set(source.subarray(0, cut), 0);
    else torn.set(source.subarray(cut), cut);
    this.overwrite(io.offsetBytes, torn);
  }

  /** Answered or not, nothing of it happens later: the next flush covers what the cache has of it. */
  endInCache(io: SimIo, now: number, durable: boolean): void {
    const first = io.offsetBytes / this.#blockBytes;
    this.cache?.completed(first, io.lengthBytes / this.#blockBytes, io.serial, now, durable);
  }

  #endLies(offsetBytes: number, lengthBytes: number): void {
    for (const at of this.lies.keys()) {
      if (at < offsetBytes + lengthBytes && at + LIE_BYTES > offsetBytes) this.lies.delete(at);
    }
  }
}

const LIE_BYTES = 4096;
