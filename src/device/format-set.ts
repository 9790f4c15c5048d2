import { ERRNO } from '../base/errno.js';
import type { Effect, Procedure } from '../engine/effect.js';
import { performAll, spareTarget } from '../engine/effect.js';
import { METADATA_PAGE_BYTES, superblockOffsetBytes } from '../format/layout.js';
import type { Superblock } from '../format/superblock.js';
import { slotOf } from '../format/superblock.js';
import { encodeSuperblock } from '../format/superblock-codec.js';
import type { IoMemory } from '../ports/io-memory.js';
import { type Anchor, scanAnchors, wipeAnchors } from './wipe-anchors.js';
import { writeNotes } from './write-notes.js';

/**
 * Makes spares into those of a new set: first every place where a superblock could be found is zeroed, durably, so
 * that nothing of an earlier set comes back; then the text notes and the superblocks are written. Answers 0 or EIO.
 * Descriptor pages are not written: none counts yet.
 */
export function* formatSet(
  superblock: Superblock,
  memory: IoMemory,
  bufferOffset: number,
): Procedure<number> {
  const anchors = yield* scanAnchors({ superblock, memory, readOffset: bufferOffset });
  return yield* formatOver(anchors, superblock, memory, bufferOffset);
}

/** The same where it is known what lies at these places. */
export function* formatOver(
  anchors: readonly Anchor[],
  superblock: Superblock,
  memory: IoMemory,
  bufferOffset: number,
): Procedure<number> {
  const isClear = yield* wipeAnchors({ superblock, memory, writeOffset: bufferOffset }, anchors);
  return isClear ? yield* writeFirstSuperblocks(superblock, memory, bufferOffset) : ERRNO.EIO;
}

/**
 * Text notes, then superblocks. The set exists when one of these is durable, so whatever they speak of has to be durable
 * before. Answers 0 or EIO.
 */
export function* writeFirstSuperblocks(
  superblock: Superblock,
  memory: IoMemory,
  bufferOffset: number,
): Procedure<number> {
  const notes = yield* writeNotes(superblock, [...superblock.copies.keys()], memory, bufferOffset);
  if (notes.includes(false)) return ERRNO.EIO;
  const copies = superblock.copies.map((copy, copyIndex) => {
    const memoryOffset = bufferOffset + copyIndex * METADATA_PAGE_BYTES;
    const into = memory.bytes.subarray(memoryOffset, memoryOffset + METADATA_PAGE_BYTES);
    encodeSuperblock(into, superblock, copyIndex);
    return pageWrite(copy.spareIndex, superblockOffsetBytes(copy, slotOf(superblock.sequence)), memoryOffset);
  });
  return (yield* writeDurably(superblock, copies)) ? 0 : ERRNO.EIO;
}

function pageWrite(spareIndex: number, offsetBytes: number, memoryOffset: number): Effect {
  return {
    kind: 'write',
    target: spareTarget(spareIndex),
    offsetBytes,
    lengthBytes: METADATA_PAGE_BYTES,
    memoryOffset,
  };
}

function* writeDurably(superblock: Superblock, writes: readonly Effect[]): Procedure<boolean> {
  const written = yield* performAll(writes);
  if (written.some((result) => result < 0)) return false;
  const flushes = superblock.spares.map(
    (_, index): Effect => ({ kind: 'flush', target: spareTarget(index) }),
  );
  return (yield* performAll(flushes)).every((result) => result >= 0);
}
