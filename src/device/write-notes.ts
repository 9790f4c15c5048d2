import type { Effect, Procedure } from '../engine/effect.js';
import { performAll, spareTarget } from '../engine/effect.js';
import { noteOffsetBytes, TEXT_NOTE_BYTES } from '../format/layout.js';
import type { Superblock } from '../format/superblock.js';
import { encodeNote } from '../format/text-note.js';
import type { IoMemory } from '../ports/io-memory.js';

/** Writes the text note of these copies, without a flush; answers for each whether it was taken. */
export function* writeNotes(
  superblock: Superblock,
  copyIndexes: readonly number[],
  memory: IoMemory,
  /** Room for a note of each copy. */
  bufferOffset: number,
): Procedure<readonly boolean[]> {
  const writes = copyIndexes.map((copyIndex, nth): Effect => {
    const copy = superblock.copies[copyIndex]!;
    const memoryOffset = bufferOffset + nth * TEXT_NOTE_BYTES;
    encodeNote(memory.bytes.subarray(memoryOffset, memoryOffset + TEXT_NOTE_BYTES), superblock, copyIndex);
    return {
      kind: 'write',
      target: spareTarget(copy.spareIndex),
      offsetBytes: noteOffsetBytes(copy),
      lengthBytes: TEXT_NOTE_BYTES,
      memoryOffset,
    };
  });
  return (yield* performAll(writes)).map((result) => result >= 0);
}
