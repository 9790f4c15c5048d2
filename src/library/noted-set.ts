import type { Procedure, Target } from '../engine/effect.js';
import { perform } from '../engine/effect.js';
import { superblockAnchors, TEXT_NOTE_BYTES } from '../format/layout.js';
import type { IoMemory } from '../ports/io-memory.js';

/** The set that a text note on a device names, the first one found; undefined where there is none. */
export function* findNotedSet(device: {
  readonly target: Target;
  readonly sizeBytes: number;
  readonly memory: IoMemory;
  /** Room for one note. */
  readonly bufferOffset: number;
}): Procedure<string | undefined> {
  const { target, sizeBytes, memory, bufferOffset: memoryOffset } = device;
  const lengthBytes = TEXT_NOTE_BYTES;
  for (const anchor of superblockAnchors(sizeBytes)) {
    const offsetBytes = anchor + NOTE_FROM_ANCHOR;
    if (offsetBytes + lengthBytes > sizeBytes) continue;
    if ((yield* perform({ kind: 'read', target, offsetBytes, lengthBytes, memoryOffset })) < 0) continue;
    const named = SET_LINE.exec(
      new TextDecoder().decode(memory.bytes.slice(memoryOffset, memoryOffset + lengthBytes)),
    );
    if (named !== null) return named[1];
  }
  return undefined;
}

/** Behind both superblock slots. */
const NOTE_FROM_ANCHOR = 8192;
const SET_LINE = /^This device is a SPARE of dm-remap.*?\n {2}set +([0-9a-f-]{36})\n/s;
