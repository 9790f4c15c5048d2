import { REGION_BYTES } from './limits.js';

/**
 * "Is anything special in this 1 MiB of the main device?" One byte per region in shared memory: the only thing that a
 * healthy request looks at. Zero: straight to the main device.
 *
 * One thread writes. It reads its own writes with plain loads; others load atomically, so that what they see next is
 * at least as new as the flag (16 ns a load on Node 20, hence not for the writer).
 */
export class RegionFilter {
  readonly shared: SharedArrayBuffer;
  readonly #flags: Uint8Array;
  readonly #isWriter: boolean;

  /** For the thread that writes. */
  static allocate(mainSizeBytes: number): RegionFilter {
    return new RegionFilter(new SharedArrayBuffer(Math.ceil(mainSizeBytes / REGION_BYTES)), true);
  }

  /** Views a filter that another thread allocated. */
  constructor(shared: SharedArrayBuffer, isWriter = false) {
    this.shared = shared;
    this.#flags = new Uint8Array(shared);
    this.#isWriter = isWriter;
  }

  /** No unit in this range is remapped, locked, doubtful or mirrored. `lengthBytes` > 0. */
  isPlain(offsetBytes: number, lengthBytes: number): boolean {
    const last = Math.floor((offsetBytes + lengthBytes - 1) / REGION_BYTES);
    for (let region = Math.floor(offsetBytes / REGION_BYTES); region <= last; region += 1) {
      if (this.#load(region) !== 0) return false;
    }
    return true;
  }

  /** Some region of the range carries one of these flags. */
  hasAny(offsetBytes: number, lengthBytes: number, flags: number): boolean {
    const last = Math.floor((offsetBytes + lengthBytes - 1) / REGION_BYTES);
    for (let region = Math.floor(offsetBytes / REGION_BYTES); region <= last; region += 1) {
      if ((this.#load(region) & flags) !== 0) return true;
    }
    return false;
  }

  set(offsetBytes: number, lengthBytes: number, flag: number): void {
    this.#update(offsetBytes, lengthBytes, 0xff, flag);
  }

  clear(offsetBytes: number, lengthBytes: number, flag: number): void {
    this.#update(offsetBytes, lengthBytes, 0xff & ~flag, 0);
  }

  #load(region: number): number {
    return this.#isWriter ? this.#flags[region]! : Atomics.load(this.#flags, region);
  }

  #update(offsetBytes: number, lengthBytes: number, keep: number, add: number): void {
    const last = Math.floor((offsetBytes + lengthBytes - 1) / REGION_BYTES);
    for (let region = Math.floor(offsetBytes / REGION_BYTES); region <= last; region += 1) {
      if (keep !== 0xff) Atomics.and(this.#flags, region, keep);
      if (add !== 0) Atomics.or(this.#flags, region, add);
    }
  }
}

export const RegionFlag = {
  /** At least one unit lives on a spare. Never cleared while the device runs. */
  remapped: 1,
  /** At least one unit is locked by a cold-path procedure. */
  locked: 2,
  /** A metadata commit for a unit here failed: its descriptor on disk may say the old or the new. */
  doubtful: 4,
  /** Writes go to the replacement of the main device as well. Set while it is being filled. */
  mirrored: 8,
} as const;
