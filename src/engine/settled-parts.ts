import { type CopyPosition, MAX_PARTS, partBytesFor } from '../format/copy-position.js';

/**
 * Which parts of the main device are recorded as settled on the disk that it is copied to (`CopyPosition`): no change of
 * one may begin before it is recorded as not settled any more. Tells as well which parts change just now. Pure state of the
 * thread that owns the device.
 */
export class SettledParts {
  readonly partBytes: number;
  readonly partCount: number;
  readonly #mainSizeBytes: number;
  /** Bit by bit as on disk; more where an update failed that says so. */
  readonly #settled = new Uint8Array(MAX_PARTS / 8);
  #settledCount = 0;
  readonly #changesUnderWay: Uint32Array;
  /** Since the last `quietParts`: something has begun to change there, or was copied. */
  readonly #hasChanged: Uint8Array;
  readonly #wasCopied: Uint8Array;
  /** Calls of `quietParts` since something changed there, as far as they matter. */
  readonly #quietCalls: Uint8Array;

  constructor(mainSizeBytes: number, recorded: CopyPosition | undefined) {
    this.#mainSizeBytes = mainSizeBytes;
    this.partBytes = recorded?.partBytes ?? partBytesFor(mainSizeBytes);
    this.partCount = Math.ceil(mainSizeBytes / this.partBytes);
    this.#changesUnderWay = new Uint32Array(this.partCount);
    this.#hasChanged = new Uint8Array(this.partCount);
    this.#wasCopied = new Uint8Array(this.partCount);
    this.#quietCalls = new Uint8Array(this.partCount).fill(QUIET_CALLS);
    if (recorded === undefined) return;
    this.#settled.set(recorded.settled);
    for (let part = 0; part < this.partCount; part += 1) if (this.isSettled(part)) this.#settledCount += 1;
  }

  get isAnySettled(): boolean {
    return this.#settledCount > 0;
  }

  isSettled(part: number): boolean {
    return ((this.#settled[part >>> 3]! >>> (part & 7)) & 1) === 1;
  }

  /** From its beginning to its end, in bytes. */
  rangeOf(part: number): { readonly offsetBytes: number; readonly lengthBytes: number } {
    const offsetBytes = part * this.partBytes;
    return { offsetBytes, lengthBytes: Math.min(this.partBytes, this.#mainSizeBytes - offsetBytes) };
  }

  /** Settled parts that this range touches; `lengthBytes` > 0. */
  settledIn(offsetBytes: number, lengthBytes: number): readonly number[] {
    if (this.#settledCount === 0) return [];
    return this.#partsOf(offsetBytes, lengthBytes).filter((part) => this.isSettled(part));
  }

  settle(parts: readonly number[]): void {
    for (const part of parts) if (!this.isSettled(part)) this.#flip(part, 1);
  }

  unsettle(parts: Iterable<number>): void {
    for (const part of parts) if (this.isSettled(part)) this.#flip(part, -1);
  }

  /** As it is to be recorded when these are not settled any more. */
  bitsWithout(parts: readonly number[]): Uint8Array {
    const bits = this.#settled.slice();
    for (const part of parts) bits[part >>> 3]! &= ~(1 << (part & 7));
    return bits;
  }

  allSettled(): readonly number[] {
    return this.#parts((part) => this.isSettled(part));
  }

  /** Each is followed by `endChange` with the same range. */
  beginChange(offsetBytes: number, lengthBytes: number): void {
    for (const part of this.#partsOf(offsetBytes, lengthBytes)) {
      this.#changesUnderWay[part]! += 1;
      this.#hasChanged[part] = 1;
    }
  }

  endChange(offsetBytes: number, lengthBytes: number): void {
    for (const part of this.#partsOf(offsetBytes, lengthBytes)) this.#changesUnderWay[part]! -= 1;
  }

  /**
   * Answers the parts that are not settled and have not changed for `QUIET_CALLS` of these calls, which come every so often:
   * what is settled is taken back with its next change, and that has to wait. From now on `isUnchanged` tells of them.
   */
  quietParts(isWanted: (part: number) => boolean): readonly number[] {
    for (let part = 0; part < this.partCount; part += 1) {
      const isQuiet = this.#hasChanged[part] === 0 && this.#changesUnderWay[part] === 0;
      this.#quietCalls[part] = isQuiet ? Math.min(this.#quietCalls[part]! + 1, QUIET_CALLS) : 0;
    }
    this.#hasChanged.fill(0);
    this.#wasCopied.fill(0);
    return this.#parts(
      (part) => this.#quietCalls[part] === QUIET_CALLS && !this.isSettled(part) && isWanted(part),
    );
  }

  /** Something there was copied to the replacement just now, or is to be. */
  noteCopied(offsetBytes: number): void {
    this.#wasCopied[Math.floor(offsetBytes / this.partBytes)] = 1;
  }

  /** No change has begun there since `quietParts`, and nothing was copied. */
  isUnchanged(part: number): boolean {
    return this.#hasChanged[part] === 0 && this.#wasCopied[part] === 0;
  }

  #parts(isWanted: (part: number) => boolean): number[] {
    const parts: number[] = [];
    for (let part = 0; part < this.partCount; part += 1) if (isWanted(part)) parts.push(part);
    return parts;
  }

  #partsOf(offsetBytes: number, lengthBytes: number): number[] {
    const first = Math.floor(offsetBytes / this.partBytes);
    const last = Math.floor((offsetBytes + lengthBytes - 1) / this.partBytes);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  }

  #flip(part: number, change: 1 | -1): void {
    this.#settled[part >>> 3]! ^= 1 << (part & 7);
    this.#settledCount += change;
  }
}

/** A minute of calls every ten seconds: what is written more often than that is not recorded again and again. */
const QUIET_CALLS = 6;
