import { assert } from '../base/assert.js';
import type { PlantedFaults } from './planted-faults.js';
import { mix } from './random.js';

/**
 * What every block of the device must hold: the simplest thing that is right. A block's contents follow from its
 * number and how often it was written; blocks that the disk had lost before anybody wrote them must give an error.
 */
export class BlockModel {
  readonly blockCount: number;
  /** From this block on the disk holds old data, which is only read. */
  readonly archiveFirst: number;
  readonly #generations: Uint32Array;
  readonly #states: Uint8Array;
  readonly #busy: Uint8Array;

  constructor(blockCount: number, faults: PlantedFaults) {
    this.blockCount = blockCount;
    this.archiveFirst = Math.floor(blockCount * (1 - ARCHIVE_SHARE));
    this.#generations = new Uint32Array(blockCount).fill(1, this.archiveFirst);
    this.#states = new Uint8Array(blockCount);
    this.#busy = new Uint8Array(blockCount);
    for (const { first, count } of faults.dead) this.#states.fill(State.lost, first, first + count);
    for (const { first, count } of faults.pending) this.#states.fill(State.pending, first, first + count);
  }

  /** Sole use of these blocks for one request, so that what it must find is known; false if another has some. */
  tryReserve(first: number, count: number): boolean {
    if (this.#busy.subarray(first, first + count).some((busy) => busy !== 0)) return false;
    this.#busy.fill(1, first, first + count);
    return true;
  }

  release(first: number, count: number): void {
    this.#busy.fill(0, first, first + count);
  }

  /** The new contents of these blocks, which `written` makes the expected ones. */
  nextContents(first: number, count: number): Uint8Array {
    return this.#contents(first, count, 1);
  }

  /** What these blocks must hold now; not for blocks that were never written. */
  currentContents(first: number, count: number): Uint8Array {
    return this.#contents(first, count, 0);
  }

  #contents(first: number, count: number, ahead: number): Uint8Array {
    const words = new Uint32Array(count * BLOCK_WORDS);
    for (let index = 0; index < count; index += 1) {
      const block = first + index;
      fillBlock(words, index * BLOCK_WORDS, block, this.#generations[block]! + ahead);
    }
    return new Uint8Array(words.buffer);
  }

  written(first: number, count: number): void {
    for (let block = first; block < first + count; block += 1) this.#generations[block]! += 1;
    this.#states.fill(State.good, first, first + count);
  }

  zeroed(first: number, count: number): void {
    this.#generations.fill(0, first, first + count);
    this.#states.fill(State.good, first, first + count);
  }

  /** The block can't be read and was not written since: an error is the only right answer. */
  isLost(block: number): boolean {
    return this.#states[block] !== State.good;
  }

  anyLost(first: number, count: number): boolean {
    return this.#states.subarray(first, first + count).some((state) => state !== State.good);
  }

  get lostBlockCount(): number {
    return this.#states.reduce((sum, state) => sum + (state === State.good ? 0 : 1), 0);
  }

  /** Old data, which nobody overwrites. */
  isArchive(first: number, count: number): boolean {
    return first + count > this.archiveFirst;
  }

  /**
   * These blocks must be read before they are written: the fault scenario forgets at a restart what a write has
   * healed, which a real disk does not, and would lose acknowledged data. Once read, their unit lives on the spare.
   */
  mustReadFirst(first: number, count: number): boolean {
    return this.#states.subarray(first, first + count).includes(State.pending);
  }

  /** Reading this block gave an error, so its whole unit has moved. */
  foundLost(block: number): void {
    const first = block - (block % UNIT_BLOCKS);
    for (let other = first; other < Math.min(first + UNIT_BLOCKS, this.blockCount); other += 1) {
      if (this.#states[other] === State.pending) this.#states[other] = State.lost;
    }
  }

  /** What is wrong with these contents, in words; undefined when they are what they must be. */
  firstMistake(data: Uint8Array, first: number): string | undefined {
    assert(data.length % BLOCK_BYTES === 0, 'whole blocks');
    const bytes = data.byteOffset % 4 === 0 ? data : Uint8Array.from(data);
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    for (let index = 0; index < words.length / BLOCK_WORDS; index += 1) {
      const block = first + index;
      const expected = this.#generations[block]!;
      if (!blockMatches(words, index * BLOCK_WORDS, block, expected)) {
        return `block ${block} does not hold its contents number ${expected}, but ${describe(words, index * BLOCK_WORDS, block, expected)}`;
      }
    }
    return undefined;
  }
}

export const BLOCK_BYTES = 512;

/** Of the disk. */
const ARCHIVE_SHARE = 0.25;
const BLOCK_WORDS = BLOCK_BYTES / 4;
/** The default unit of relocation is 4096 bytes. */
const UNIT_BLOCKS = 8;
const State = { good: 0, lost: 1, pending: 2 } as const;

/** Generation 0 was never written: zeroes. */
function fillBlock(words: Uint32Array, at: number, block: number, generation: number): void {
  const seed = seedOf(block, generation);
  for (let index = 0; index < BLOCK_WORDS; index += 1) words[at + index] = seed + Math.imul(index, STEP);
}

function blockMatches(words: Uint32Array, at: number, block: number, generation: number): boolean {
  const isZero = generation === 0;
  const seed = seedOf(block, generation);
  for (let index = 0; index < BLOCK_WORDS; index += 1) {
    if (words[at + index] !== (isZero ? 0 : (seed + Math.imul(index, STEP)) >>> 0)) return false;
  }
  return true;
}

/** What a block holds instead of what was written last. */
function describe(words: Uint32Array, at: number, block: number, expected: number): string {
  for (let generation = expected + 1; generation >= 0; generation -= 1) {
    if (blockMatches(words, at, block, generation))
      return generation === 0 ? 'zeroes' : `number ${generation}`;
  }
  return 'something else';
}

function seedOf(block: number, generation: number): number {
  return mix(Math.imul(block, 0x85ebca6b) ^ mix(generation));
}

const STEP = 0x9e3779b1;
