import { alignUp } from '../base/units.js';
import type { Procedure, Target } from '../engine/effect.js';
import { perform } from '../engine/effect.js';
import type { ReadBytes } from '../format/foreign-signature.js';
import { MODULE_PROBES } from '../format/import/find-module-record.js';
import type { IoMemory } from '../ports/io-memory.js';

/**
 * Reads every place where the kernel module may have left a record. What can't be read, in pieces of 4096 bytes and
 * tried again, is not answered for by the reader that this gives; nor is what lies beyond the device.
 */
export function* readModuleSpare(input: ReadModuleInput): Procedure<ReadBytes> {
  const pieces = new Map<number, Uint8Array>();
  for (const { offsetBytes, lengthBytes } of MODULE_PROBES) {
    const end = Math.min(offsetBytes + alignUp(lengthBytes, PIECE_BYTES), input.sizeBytes);
    if (end <= offsetBytes || (yield* readInto(pieces, input, offsetBytes, end))) continue;
    for (let at = offsetBytes; at < end; at += PIECE_BYTES) {
      const pieceEnd = Math.min(at + PIECE_BYTES, end);
      let attempts = 0;
      while (attempts < ATTEMPTS && !(yield* readInto(pieces, input, at, pieceEnd))) attempts += 1;
    }
  }
  return (offset, length) => join(pieces, offset, length);
}

export interface ReadModuleInput {
  readonly target: Target;
  readonly sizeBytes: number;
  readonly memory: IoMemory;
  /** Room for one copy of the record, 128 KiB. */
  readonly bufferOffset: number;
}

function* readInto(
  pieces: Map<number, Uint8Array>,
  { target, memory, bufferOffset }: ReadModuleInput,
  fromBytes: number,
  endBytes: number,
): Procedure<boolean> {
  const result = yield* perform({
    kind: 'read',
    target,
    offsetBytes: fromBytes,
    lengthBytes: endBytes - fromBytes,
    memoryOffset: bufferOffset,
  });
  if (result < 0) return false;
  for (let at = fromBytes; at < endBytes; at += PIECE_BYTES) {
    const start = bufferOffset + at - fromBytes;
    const end = bufferOffset + Math.min(at + PIECE_BYTES, endBytes) - fromBytes;
    pieces.set(at, memory.bytes.slice(start, end));
  }
  return true;
}

function join(
  pieces: ReadonlyMap<number, Uint8Array>,
  offset: number,
  length: number,
): Uint8Array | undefined {
  const joined = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const within = (offset + done) % PIECE_BYTES;
    const piece = pieces.get(offset + done - within);
    if (piece === undefined || piece.length <= within) return undefined;
    const part = piece.subarray(within, within + length - done);
    joined.set(part, done);
    done += part.length;
  }
  return joined;
}

/** Probes start at multiples of this. */
const PIECE_BYTES = 4096;
const ATTEMPTS = 3;
