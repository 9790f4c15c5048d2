import type { Effect, Procedure, Target } from '../engine/effect.js';
import { perform, performAll } from '../engine/effect.js';
import { ANCHOR_BYTES, METADATA_PAGE_BYTES, superblockAnchors } from '../format/layout.js';
import type { IoMemory } from '../ports/io-memory.js';

/**
 * Zeroes every place of a device where a text note could be, so that it no longer says to be a spare. Nothing may live on
 * it. To be done before its superblocks go: a note by itself looks like a spare whose superblocks are gone. Answers true
 * if none is left, for good.
 */
export function* wipeNotes(device: {
  readonly target: Target;
  readonly sizeBytes: number;
  readonly memory: IoMemory;
  /** Room for a page. */
  readonly bufferOffset: number;
}): Procedure<boolean> {
  const { target, sizeBytes, memory, bufferOffset: memoryOffset } = device;
  const lengthBytes = METADATA_PAGE_BYTES;
  memory.bytes.fill(0, memoryOffset, memoryOffset + lengthBytes);
  // A note is as long as both superblock slots, and lies behind them.
  const places = superblockAnchors(sizeBytes)
    .map((anchor) => anchor + ANCHOR_BYTES)
    .filter((offsetBytes) => offsetBytes + lengthBytes <= sizeBytes);
  const writes = places.map(
    (offsetBytes): Effect => ({ kind: 'write', target, offsetBytes, lengthBytes, memoryOffset }),
  );
  const results = yield* performAll(writes);
  const flushed = yield* perform({ kind: 'flush', target });
  return flushed >= 0 && results.every((result) => result >= 0);
}
