import { assert } from '../../base/assert.js';

/**
 * What each logical block may hold, by the rules of a disk: the last acknowledged contents, or what other writes that
 * were under way at the same time wrote. Contents are told apart by numbers, a new one for every write but of zeroes.
 */
export class BlockModel {
  /** Contents that a read may return now, per block. */
  readonly #allowed: Set<number>[];
  /** Contents that a read may return after a power cut, per block. */
  readonly #stable: Set<number>[];
  readonly #flushes = new Set<ModelFlush>();
  /** Blocks that may turn out to be lost: never written, and unreadable on the main device. */
  readonly #mayBeLost: Set<number>;
  /** Per block: the reads under way. */
  readonly #readers = new Map<number, Set<ModelRead>>();
  /** Per block: the writes under way. */
  readonly #underWay = new Map<number, ModelWrite[]>();

  constructor(blockCount: number, mayBeLost: Iterable<number>, initial: (block: number) => number) {
    this.#allowed = Array.from({ length: blockCount }, (_, block) => new Set([initial(block)]));
    this.#stable = Array.from({ length: blockCount }, (_, block) => new Set([initial(block)]));
    this.#mayBeLost = new Set(mayBeLost);
  }

  beginWrite(block: number, contents: number): ModelWrite {
    const others = this.#underWay.get(block) ?? [];
    const write: ModelWrite = { contents, meanwhile: new Set(others.map((other) => other.contents)) };
    for (const other of others) other.meanwhile.add(contents);
    this.#underWay.set(block, [...others, write]);
    for (const read of this.#readers.get(block) ?? []) {
      read.allowed.add(contents);
      read.isAlone = false;
    }
    this.#allowed[block]!.add(contents);
    this.#stable[block]!.add(contents);
    for (const flush of this.#flushes) flush.covered[block]!.add(contents);
    return write;
  }

  /** Acknowledged: what was there before is gone; writes that overlapped it in time may have come out on top. */
  endWrite(block: number, write: ModelWrite, durable = false): void {
    const others = this.#underWay.get(block)!.filter((other) => other !== write);
    this.#underWay.set(block, others);
    this.#mayBeLost.delete(block);
    this.#allowed[block] = new Set([write.contents, ...write.meanwhile]);
    if (durable) this.#stable[block] = new Set(this.#allowed[block]);
  }

  beginFlush(): ModelFlush {
    const flush: ModelFlush = { covered: this.#allowed.map((allowed) => new Set(allowed)) };
    this.#flushes.add(flush);
    return flush;
  }

  /** Worked: everything that was acknowledged when it began is on stable storage, or overwritten since. */
  endFlush(flush: ModelFlush): void {
    this.#flushes.delete(flush);
    for (const [block, covered] of flush.covered.entries()) {
      this.#stable[block] = new Set([...this.#stable[block]!].filter((contents) => covered.has(contents)));
      assert(this.#stable[block].size > 0, 'a block holds something');
    }
  }

  /** As `crash`, and what was not flushed may be gone. */
  powerCut(): void {
    this.crash();
    for (const [block, stable] of this.#stable.entries()) this.#allowed[block] = new Set(stable);
  }

  /** The writer is gone: its unanswered writes may have happened or not, but not later. */
  crash(): void {
    this.#underWay.clear();
    this.#readers.clear();
    this.#flushes.clear();
  }

  beginRead(block: number): ModelRead {
    const isAlone = (this.#underWay.get(block)?.length ?? 0) === 0;
    const mayBeLost = this.#mayBeLost.has(block);
    const read: ModelRead = { allowed: new Set(this.#allowed[block]), isAlone, mayBeLost };
    const readers = this.#readers.get(block) ?? new Set();
    this.#readers.set(block, readers.add(read));
    return read;
  }

  /** Throws if what a read returned is wrong. One with no write around it settles what the block holds from then on. */
  endRead(block: number, contents: number, read: ModelRead): void {
    this.#readers.get(block)!.delete(read);
    const { allowed } = read;
    assert(
      allowed.has(contents),
      `block ${block} read as ${contents}, allowed are ${[...allowed].join(', ')}`,
    );
    if (read.isAlone) this.#allowed[block] = new Set([contents]);
  }

  /** Throws if an error of these reads is not justified. */
  checkLost(blocks: readonly number[], reads: readonly ModelRead[]): void {
    for (const [index, read] of reads.entries()) this.#readers.get(blocks[index]!)!.delete(read);
    const justified = reads.some((read) => read.mayBeLost);
    assert(justified, `EIO for blocks ${blocks[0]}-${blocks.at(-1)}, none of which can be lost`);
  }
}

export interface ModelWrite {
  readonly contents: number;
  /** Contents of writes that were under way at some time between its begin and its end. */
  readonly meanwhile: Set<number>;
}

export interface ModelFlush {
  /** Per block: what it held when the flush began, and what was written since. */
  readonly covered: readonly Set<number>[];
}

export interface ModelRead {
  /** What the block held at the begin of the read, and what was written since. */
  readonly allowed: Set<number>;
  /** No write was under way at any time. */
  isAlone: boolean;
  /** When it began, the block could turn out to be lost. */
  readonly mayBeLost: boolean;
}
