import { crc32 } from '../base/crc32.js';
import { ERRNO } from '../base/errno.js';
import type { Procedure } from '../engine/effect.js';
import { MAIN, perform } from '../engine/effect.js';
import { SAMPLE_BYTES } from '../format/fingerprint.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { WrittenSamples } from './written-samples.js';

/**
 * Recognises a main device that has no serial number: checksums of blocks all over it, taken when it was opened, of
 * those that were not written since. Blocks that are the same byte throughout (zeroes) can only speak against a device,
 * because any other may have them as well.
 */
export class ContentWatch {
  readonly #written: WrittenSamples;
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

  constructor(written: WrittenSamples, memory: IoMemory, bufferOffset: number) {
    this.#written = written;
    this.#crcs = new Uint32Array(written.positions.length);
    this.#states = new Uint8Array(written.positions.length);
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

  /** Takes the checksums; what can't be read is left out, and what `skip` names. */
  *take(skip: (offsetBytes: number) => boolean): Procedure<void> {
    this.#isReading = true;
    for (const [index, offsetBytes] of this.#written.positions.entries()) {
      if (this.#isStopped || this.#written.has(index) || skip(offsetBytes)) continue;
      const crc = yield* this.#read(offsetBytes, () => {
        this.#isIncomplete = true;
      });
      if (crc === undefined) continue;
      this.#crcs[index] = crc;
      this.#states[index] = this.#isBlank() ? State.blank : State.telling;
    }
    this.#isReading = false;
    this.#isTaken = true;
  }

  /** Compares a device, as the main device of these effects, with what is known. */
  *compare(): Procedure<ContentVerdict> {
    if (this.#isReading || this.#isIncomplete)
      return { differingCount: 0, agreeingCount: 0, unreadableCount: 0 };
    let differingCount = 0;
    let agreeingCount = 0;
    let unreadableCount = 0;
    for (const [index, offsetBytes] of this.#written.positions.entries()) {
      const state = this.#states[index]!;
      if (state === State.unknown || this.#written.has(index)) continue;
      const crc = yield* this.#read(offsetBytes);
      // What was in flight when the device vanished may be on it now.
      if (this.#written.has(index)) continue;
      if (crc === undefined) unreadableCount += 1;
      else if (crc !== this.#crcs[index]) differingCount += 1;
      else if (state === State.telling) agreeingCount += 1;
    }
    return { differingCount, agreeingCount, unreadableCount };
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
  /** Blocks that were not written and can't be read. */
  readonly unreadableCount: number;
}

const State = { unknown: 0, blank: 1, telling: 2 } as const;
