import { ERRNO } from '../base/errno.js';
import { Counter, count } from '../engine/counters.js';
import type { Procedure, TransferEffect } from '../engine/effect.js';
import { perform, performAll, spareTarget } from '../engine/effect.js';
import { sequenceAfterHidden } from '../format/hidden-updates.js';
import { MAX_SEQUENCE, METADATA_PAGE_BYTES, superblockOffsetBytes } from '../format/layout.js';
import { pageSequenceSum } from '../format/page-sequence-sum.js';
import type { Superblock } from '../format/superblock.js';
import { slotOf } from '../format/superblock.js';
import { encodeSuperblock } from '../format/superblock-codec.js';
import { flushFailuresOf, flushSpares, withoutFlushFailure } from './flush-spares.js';
import type { MetadataWork } from './metadata-writer.js';

/**
 * Writes the next superblock, with these fields changed, to all copies. It goes to the slots that do not hold the
 * present one, so a power cut leaves one of the two whole. Answers 0 when at least one copy is durable, else EIO.
 */
export function* writeSuperblock(work: MetadataWork, fields: Partial<Superblock>): Procedure<number> {
  const { state, context } = work;
  yield* catchUp(work);
  const updatedSeconds = yield* perform({ kind: 'wallClock' });
  const before = state.superblock.sequence;
  const sequence = state.superblockMayHide ? sequenceAfterHidden(before, 0) : before + 1;
  if (sequence > MAX_SEQUENCE) return ERRNO.EIO;
  state.superblockMayHide = false;
  const counters = Array.from(context.totalCounters());
  const changed: Superblock = { ...state.superblock, counters, ...fields, sequence, updatedSeconds };
  const summed = { ...changed, pageSequenceSum: sumFor(changed, fields, state.pageSequences) };
  const next = state.dropsCopyPosition ? withoutCopyPosition(summed) : summed;
  const failuresBefore = flushFailuresOf(work);
  const results = yield* performAll(
    next.copies.map((_, copyIndex) => superblockWrite(work, next, copyIndex)),
  );
  const durable = yield* flushCopies(work, results, failuresBefore);
  const taking = new Set(next.copies.filter((_, index) => durable[index]).map((copy) => copy.spareIndex));
  for (const spareIndex of next.spares.keys())
    state.lag.noteSuperblock(spareIndex, sequence, taking.has(spareIndex));
  if (taking.size > 0) {
    state.superblock = next;
    return 0;
  }
  // The attempt may have reached a disk all the same. The next one gets its number plus two: no number is used twice,
  // and the slot of the last durable version is not touched (rule W2 of docs/on-disk-format.md).
  state.superblock = { ...state.superblock, sequence: sequence + 1 };
  return ERRNO.EIO;
}

/** Pages do not change while a set is marked as stopped cleanly: what was recorded when it got the mark goes on to hold. */
function sumFor(next: Superblock, fields: Partial<Superblock>, sequences: Float64Array): number {
  if (!next.cleanShutdown) return 0;
  return fields.cleanShutdown === true ? pageSequenceSum(next.spares, sequences) : next.pageSequenceSum;
}

/**
 * A spare that is there and has missed the last update would be two behind, hence stale, if this one were cut off on it:
 * it gets the last one first, in place. Twice, if need be: the flush that comes after one that failed may fail as well.
 */
function* catchUp(work: MetadataWork): Procedure<void> {
  const { superblock, lag } = work.state;
  // Of an update that no spare took nothing counts, and its number lies where the last durable one is.
  if (!lag.isSuperblockDurable) return;
  const lacksIt = (spareIndex: number): boolean =>
    lag.missesSuperblock(spareIndex) && !work.context.isGone(spareTarget(spareIndex));
  for (let attempt = 0; attempt < CATCH_UP_ATTEMPTS; attempt += 1) {
    const behind = [...superblock.copies.keys()].filter((index) =>
      lacksIt(superblock.copies[index]!.spareIndex),
    );
    if (behind.length === 0) return;
    yield* repairSuperblock(work, behind);
  }
}

const CATCH_UP_ATTEMPTS = 2;

/** Writes the present superblock to copies that lack it, in place (rule R1). */
export function* repairSuperblock(work: MetadataWork, copyIndexes: readonly number[]): Procedure<void> {
  const { superblock, lag } = work.state;
  const results = superblock.copies.map(() => NOT_WRITTEN);
  const failuresBefore = flushFailuresOf(work);
  const written = yield* performAll(
    copyIndexes.map((copyIndex) => superblockWrite(work, superblock, copyIndex)),
  );
  for (const [index, copyIndex] of copyIndexes.entries()) results[copyIndex] = written[index]!;
  const durable = yield* flushCopies(work, results, failuresBefore);
  for (const [copyIndex, { spareIndex }] of superblock.copies.entries())
    if (durable[copyIndex] === true) lag.noteSuperblock(spareIndex, superblock.sequence, true);
}

/** Stands for the result of a copy that was not to be written: neither durable nor an error. */
export const NOT_WRITTEN = Number.NEGATIVE_INFINITY;

/**
 * Flushes every spare that took a copy's write. Answers for each copy whether it is durable now; counts those that
 * are not. `results[i]` is the outcome of copy i's write, or `NOT_WRITTEN`; `failuresBefore`: `flushFailuresOf` before it.
 */
export function* flushCopies(
  work: MetadataWork,
  results: readonly number[],
  failuresBefore: readonly number[],
): Procedure<readonly boolean[]> {
  const { copies } = work.state.superblock;
  const written = copies.filter((_, index) => results[index]! >= 0).map((copy) => copy.spareIndex);
  const flushed = withoutFlushFailure(work, yield* flushSpares(written), failuresBefore);
  const durable = copies.map((copy, index) => results[index]! >= 0 && flushed.has(copy.spareIndex));
  const failed = copies.filter((_, index) => !durable[index] && results[index] !== NOT_WRITTEN);
  for (const { spareIndex } of failed) work.state.lag.noteIncompleteCopy(spareIndex);
  count(work.context.counters, Counter.metadataWriteErrors, failed.length);
  return durable;
}

/** The write of this superblock to a copy; the copies of one superblock are put together side by side. */
export function superblockWrite(
  work: MetadataWork,
  superblock: Superblock,
  copyIndex: number,
): TransferEffect {
  const copy = superblock.copies[copyIndex]!;
  const memoryOffset = work.bufferOffset + copyIndex * METADATA_PAGE_BYTES;
  const into = work.memory.bytes.subarray(memoryOffset, memoryOffset + METADATA_PAGE_BYTES);
  const { dropsCopyPosition } = work.state;
  encodeSuperblock(into, dropsCopyPosition ? withoutCopyPosition(superblock) : superblock, copyIndex);
  return {
    kind: 'write',
    target: spareTarget(copy.spareIndex),
    offsetBytes: superblockOffsetBytes(copy, slotOf(superblock.sequence)),
    lengthBytes: METADATA_PAGE_BYTES,
    memoryOffset,
  };
}

export function withoutCopyPosition(superblock: Superblock): Superblock {
  return superblock.copyPosition === undefined ? superblock : { ...superblock, copyPosition: undefined };
}
