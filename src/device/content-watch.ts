import { crc32 } from '../base/crc32.js';
import { ERRNO } from '../base/errno.js';
import type { Procedure } from '../engine/effect.js';
import { MAIN, perform } from '../engine/effect.js';
import { SAMPLE_BYTES, samplePositions } from '../format/fingerprint.js';
import type { IoMemory } from '../ports/io-memory.js';

/**
 * Recognises a main device that has no serial number: checksums of blocks all over it, taken when it was opened, of
 * those that were not written since. Blocks that are the same byte throughout (zeroes) can only speak against a device,
 * because any other may have them as well.
 */
export class ContentWatch {
  /** Ascending. */
  readonly #positions: Float64Array;
  readonly #crcs: Uint32Array;
  readonly #states: Uint8Array;
  readonly #memory: IoMemory;
  /** Room for one block. */
  readonly #bufferOffset: number;
  #isReading = false;
  #isStopped = false;
  #isTaken = false;
  /** The device was gone before all of it was seen: too little is known of it. */
  #isIncomplete = false;

  constructor(mainSizeBytes: number, memory: IoMemory, bufferOffset: number) {
    const positions = samplePositions(mainSizeBytes).filter((position) => position !== -1);
    this.#positions = Float64Array.from(new Set(positions)).sort();
    this.#crcs = new Uint32Array(this.#positions.length);
    this.#states = new Uint8Array(this.#positions.length);
    this.#memory = memory;
    this.#bufferOffset = bufferOffset;
  }

  /** The checksums are being taken. */
  get isReading(): boolean {
    return this.#isReading;
  }

  /** They were taken, and enough was there to take them of. */
  get isKnown(): boolean {
    return this.#isTaken && !this.#isIncomplete;
  }

  /** Takes no more of them. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Before every write: what it touches is of no use any more. Hot path. */
  noteWrite(offsetBytes: number, lengthBytes: number): void {
    const positions = this.#positions;
    let low = 0;
    let high = positions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (positions[middle]! + SAMPLE_BYTES <= offsetBytes) low = middle + 1;
      else high = middle;
    }
    const endBytes = offsetBytes + lengthBytes;
    for (; low < positions.length && positions[low]! < endBytes; low += 1) this.#states[low] = State.written;
  }

  /** Takes the checksums; what can't be read is left out, and what `skip` names. */
  *take(skip: (offsetBytes: number) => boolean): Procedure<void> {
    this.#isReading = true;
    for (const [index, offsetBytes] of this.#positions.entries()) {
      if (this.#isStopped || this.#states[index] === State.written || skip(offsetBytes)) continue;
      const crc = yield* this.#read(offsetBytes, () => {
        this.#isIncomplete = true;
      });
      if (crc === undefined || this.#states[index] === State.written) continue;
      this.#crcs[index] = crc;
      this.#states[index] = this.#isBlank() ? State.blank : State.telling;
    }
    this.#isReading = false;
    this.#isTaken = true;
  }

  /** Compares a device, as the main device of these effects, with what is known. */
  *compare(): Procedure<ContentVerdict> {
    if (this.#isReading || this.#isIncomplete) return { differingCount: 0, agreeingCount: 0 };
    let differingCount = 0;
    let agreeingCount = 0;
    for (const [index, offsetBytes] of this.#positions.entries()) {
      const state = this.#states[index]!;
      if (state === State.written || state === State.unknown) continue;
      const crc = yield* this.#read(offsetBytes);
      if (crc === undefined) continue;
      if (crc !== this.#crcs[index]) differingCount += 1;
      else if (state === State.telling) agreeingCount += 1;
    }
    return { differingCount, agreeingCount };
  }

  /** The block's checksum; undefined where it can't be read. `gone`: the device isn't there. */
  *#read(offsetBytes: number, gone: () => void = () => {}): Procedure<number | undefined> {
    const memoryOffset = this.#bufferOffset;
    const effect = {
      kind: 'read',
      target: MAIN,
      offsetBytes,
      lengthBytes: SAMPLE_BYTES,
      memoryOffset,
    } as const;
    const result = yield* perform(effect);
    if (result === -ERRNO.ENODEV) gone();
    return result < 0 ? undefined : crc32(this.#block());
  }

  #isBlank(): boolean {
    const block = this.#block();
    return block.every((byte) => byte === block[0]);
  }

  #block(): Uint8Array {
    return this.#memory.bytes.subarray(this.#bufferOffset, this.#bufferOffset + SAMPLE_BYTES);
  }
}

export interface ContentVerdict {
  /** Blocks that were not written and hold something else. */
  readonly differingCount: number;
  /** Blocks that hold the same, and are not blank. */
  readonly agreeingCount: number;
}

const State = { unknown: 0, blank: 1, telling: 2, written: 3 } as const;
