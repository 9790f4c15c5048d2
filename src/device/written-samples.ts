import { SAMPLE_BYTES, samplePositions } from '../format/fingerprint.js';

/**
 * Which of the blocks by which a main device without serial number is recognised were written since it was opened, by
 * whatever thread: these are of no use for that any more. In shared memory; a mark is never taken back.
 *
 * A thread marks before it sends the write, so whoever sees the new contents on the device finds the mark as well.
 */
export class WrittenSamples {
  readonly shared: SharedArrayBuffer;
  /** Where the blocks start; ascending. */
  readonly positions: Float64Array;
  readonly #isWritten: Uint8Array;

  static allocate(mainSizeBytes: number): WrittenSamples {
    return new WrittenSamples(mainSizeBytes, new SharedArrayBuffer(positionsOf(mainSizeBytes).length));
  }

  /** Views the marks that another thread allocated. */
  constructor(mainSizeBytes: number, shared: SharedArrayBuffer) {
    this.shared = shared;
    this.positions = positionsOf(mainSizeBytes);
    this.#isWritten = new Uint8Array(shared, 0, this.positions.length);
  }

  has(index: number): boolean {
    return Atomics.load(this.#isWritten, index) !== 0;
  }

  /** Before every write. Hot path. */
  noteWrite(offsetBytes: number, lengthBytes: number): void {
    const { positions } = this;
    let low = 0;
    let high = positions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (positions[middle]! + SAMPLE_BYTES <= offsetBytes) low = middle + 1;
      else high = middle;
    }
    const endBytes = offsetBytes + lengthBytes;
    for (; low < positions.length && positions[low]! < endBytes; low += 1)
      Atomics.store(this.#isWritten, low, 1);
  }
}

function positionsOf(mainSizeBytes: number): Float64Array {
  const positions = samplePositions(mainSizeBytes).filter((position) => position !== -1);
  return Float64Array.from(new Set(positions)).sort();
}
