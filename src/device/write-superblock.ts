import { ERRNO } from '../base/errno.js';
import { Counter, count } from '../engine/counters.js';
import type { Effect, Procedure } from '../engine/effect.js';
import { perform, performAll, spareTarget } from '../engine/effect.js';
import { METADATA_PAGE_BYTES, superblockOffsetBytes } from '../format/layout.js';
import type { Superblock } from '../format/superblock.js';
import { slotOf } from '../format/superblock.js';
import { encodeSuperblock } from '../format/superblock-codec.js';
import type { MetadataWork } from './metadata-writer.js';

/**
 * Writes the next superblock, with these fields changed, to all copies. It goes to the slots that do not hold the
 * present one, so a power cut leaves one of the two whole. Answers 0 when at least one copy is durable, else EIO.
 */
export function* writeSuperblock(work: MetadataWork, fields: Partial<Superblock>): Procedure<number> {
  const { state, context } = work;
  const updatedSeconds = yield* perform({ kind: 'wallClock' });
  const sequence = state.superblock.sequence + 1;
  const counters = Array.from(context.counters);
  const next: Superblock = { ...state.superblock, counters, ...fields, sequence, updatedSeconds };
  const results = yield* performAll(next.copies.map((_, copyIndex) => copyWrite(work, next, copyIndex)));
  // Even a failed attempt may have reached a disk: its sequence must not be used again.
  state.superblock = { ...state.superblock, sequence };
  const durable = yield* flushCopies(work, results);
  if (!durable.some((isDurable) => isDurable)) return ERRNO.EIO;
  state.superblock = next;
  return 0;
}

/**
 * Flushes every spare that took a copy's write. Answers for each copy whether it is durable now; counts those that
 * are not. `results[i]` is the outcome of copy i's write.
 */
export function* flushCopies(work: MetadataWork, results: readonly number[]): Procedure<readonly boolean[]> {
  const { copies } = work.state.superblock;
  const spareIndexes = [...new Set(copies.filter((_, index) => results[index]! >= 0).map((copy) => copy.spareIndex))];
  const flushes = yield* performAll(
    spareIndexes.map((index): Effect => ({ kind: 'flush', target: spareTarget(index) })),
  );
  const flushed = new Set(spareIndexes.filter((_, index) => flushes[index]! >= 0));
  const durable = copies.map((copy, index) => results[index]! >= 0 && flushed.has(copy.spareIndex));
  const { counters } = work.context;
  count(counters, Counter.metadataWriteErrors, durable.filter((isDurable) => !isDurable).length);
  return durable;
}

function copyWrite(work: MetadataWork, superblock: Superblock, copyIndex: number): Effect {
  const copy = superblock.copies[copyIndex]!;
  const memoryOffset = work.bufferOffset + copyIndex * METADATA_PAGE_BYTES;
  const into = work.memory.bytes.subarray(memoryOffset, memoryOffset + METADATA_PAGE_BYTES);
  encodeSuperblock(into, superblock, copyIndex);
  return {
    kind: 'write',
    target: spareTarget(copy.spareIndex),
    offsetBytes: superblockOffsetBytes(copy, slotOf(superblock.sequence)),
    lengthBytes: METADATA_PAGE_BYTES,
    memoryOffset,
  };
}
