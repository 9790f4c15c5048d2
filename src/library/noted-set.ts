import type { Procedure, Target } from '../engine/effect.js';
import { perform } from '../engine/effect.js';
import { superblockAnchors, TEXT_NOTE_BYTES } from '../format/layout.js';
import type { IoMemory } from '../ports/io-memory.js';

/** What the first text note that is found on a device says; undefined where there is none. */
export function* findNote(device: {
  readonly target: Target;
  readonly sizeBytes: number;
  readonly memory: IoMemory;
  /** Room for one note. */
  readonly bufferOffset: number;
}): Procedure<FoundNote | undefined> {
  const { target, sizeBytes, memory, bufferOffset: memoryOffset } = device;
  const lengthBytes = TEXT_NOTE_BYTES;
  for (const anchor of superblockAnchors(sizeBytes)) {
    const offsetBytes = anchor + NOTE_FROM_ANCHOR;
    if (offsetBytes + lengthBytes > sizeBytes) continue;
    if ((yield* perform({ kind: 'read', target, offsetBytes, lengthBytes, memoryOffset })) < 0) continue;
    const text = new TextDecoder().decode(memory.bytes.slice(memoryOffset, memoryOffset + lengthBytes));
    const named = SET_LINE.exec(text);
    if (named !== null) return { setId: named[1]!, spareUuid: SPARE_LINE.exec(text)?.[1] };
  }
  return undefined;
}

export interface FoundNote {
  readonly setId: string;
  /** Of the spare that the device was when the note was written. */
  readonly spareUuid: string | undefined;
}

/** Behind both superblock slots. */
const NOTE_FROM_ANCHOR = 8192;
const SET_LINE = /^This device is a SPARE of dm-remap.*?\n {2}set +([0-9a-f-]{36})\n/s;
const SPARE_LINE = /^ {2}spare \d+ +\d+ bytes, ([0-9a-f-]{36}) +<- this device$/m;
