import type { ColdContext } from './cold-context.js';
import type { DeviceShape } from './device-shape.js';
import type { Procedure, Target } from './effect.js';
import { MAIN, perform, REPLACEMENT } from './effect.js';
import { classifyError } from './error-policy.js';
import { REGION_BYTES } from './limits.js';
import type { RegionFilter } from './region-filter.js';
import { RegionFlag } from './region-filter.js';
import type { ByteRange } from './segments.js';
import { UndecidedBlocks } from './undecided-blocks.js';

/**
 * Keeps the replacement of the main device the same where it has been filled: what is written there goes to both. The
 * replacement serves nobody yet, so its failures end the filling and are no matter of the request; nor need it be
 * flushed before it takes over. One per device, of the thread that owns the device.
 */
export class Mirror {
  #isOn = false;
  #failure: MirrorFailure | undefined;
  #noticed: (stale: readonly number[]) => void = () => {};
  #order: FilledRegions = NOTHING_FILLED;
  readonly #staleRegions = new Set<number>();
  /** By region: targets, as bits, that may have gone back to what they held before, since the region was copied. */
  #revertedTargets = new Uint16Array(0);
  readonly #undecided = new UndecidedBlocks();

  /** There is a replacement, and it has not failed. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** The first write or flush that the replacement refused. */
  get failure(): MirrorFailure | undefined {
    return this.#failure;
  }

  /** `noticed`: the replacement has failed, or these regions are to be copied again. */
  begin(noticed: (stale: readonly number[]) => void, order: FilledRegions): void {
    this.#isOn = true;
    this.#failure = undefined;
    this.#noticed = noticed;
    this.#order = order;
    this.#staleRegions.clear();
    this.#revertedTargets = new Uint16Array(order.regionCount);
    this.#undecided.clear();
  }

  end(): void {
    this.#isOn = false;
    this.#noticed = () => {};
  }

  covers(filter: RegionFilter, offsetBytes: number, lengthBytes: number): boolean {
    return this.#isOn && filter.hasAny(offsetBytes, lengthBytes, RegionFlag.mirrored);
  }

  /** The replacement has what the set has in all of this range, apart from lost blocks. */
  holds(offsetBytes: number, lengthBytes: number): boolean {
    if (!this.#isOn) return false;
    const last = Math.floor((offsetBytes + lengthBytes - 1) / REGION_BYTES);
    for (let region = Math.floor(offsetBytes / REGION_BYTES); region <= last; region += 1) {
      if (!this.#order.isCopied(region) || this.#staleRegions.has(region)) return false;
    }
    return true;
  }

  /**
   * Blocks of a unit, as bits, that are on the replacement as `target` holds them, if that does not give them any more: they
   * were copied, whatever became of the region since, and every write that was done is there too.
   */
  keptOf(mainUnit: number, unitBytes: number, target: Target): number {
    if (!this.#isOn) return 0;
    const region = Math.floor((mainUnit * unitBytes) / REGION_BYTES);
    const isKept = this.#order.wasCopied(region) && (this.#revertedTargets[region]! & (1 << target)) === 0;
    return isKept ? ~this.#undecided.of(mainUnit) >>> 0 : 0;
  }

  noteFailure(failure: MirrorFailure): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#failure = failure;
    this.#noticed([]);
  }

  /** What the set holds there now is not known. */
  noteFailedWrite(
    { filter, shape }: Pick<ColdContext, 'filter' | 'shape'>,
    offsetBytes: number,
    lengthBytes: number,
  ): void {
    if (!this.covers(filter, offsetBytes, lengthBytes)) return;
    if (!this.#undecided.add(shape, offsetBytes, lengthBytes)) this.#revertedTargets.fill(ALL_TARGETS);
    this.noteStale(filter, offsetBytes, lengthBytes);
  }

  /** It was written, on both. */
  noteWritten(shape: DeviceShape, offsetBytes: number, lengthBytes: number): void {
    this.#undecided.settle(shape, offsetBytes, lengthBytes);
  }

  /** Something in this range is to be copied again. */
  noteStale(filter: RegionFilter, offsetBytes: number, lengthBytes: number): void {
    if (!this.covers(filter, offsetBytes, lengthBytes)) return;
    const first = Math.floor(offsetBytes / REGION_BYTES);
    const last = Math.floor((offsetBytes + lengthBytes - 1) / REGION_BYTES);
    this.#addStale(Array.from({ length: last - first + 1 }, (_, index) => first + index));
  }

  /** A flush of this disk of the set has failed, or it came back without its cache. A spare concerns only what moved. */
  noteReverted(filter: RegionFilter, target: Target): void {
    if (!this.#isOn) return;
    const reverted: number[] = [];
    for (let region = 0; region < this.#order.regionCount; region += 1) {
      const isOfTarget =
        target === MAIN || filter.hasAny(region * REGION_BYTES, REGION_BYTES, RegionFlag.remapped);
      if (!isOfTarget || !filter.hasAny(region * REGION_BYTES, 1, RegionFlag.mirrored)) continue;
      this.#revertedTargets[region]! |= 1 << target;
      reverted.push(region);
    }
    if (reverted.length > 0) this.#addStale(reverted);
  }

  #addStale(regions: readonly number[]): void {
    for (const region of regions) this.#staleRegions.add(region);
    this.#noticed(regions);
  }

  /** Unless something happened to it while it was being copied. */
  noteCopied(shape: DeviceShape, region: number): void {
    if (this.#staleRegions.has(region)) return;
    this.#revertedTargets[region] = 0;
    const offsetBytes = region * REGION_BYTES;
    this.#undecided.settle(shape, offsetBytes, Math.min(REGION_BYTES, shape.mainSizeBytes - offsetBytes));
  }

  takeStale(): readonly number[] {
    const regions = [...this.#staleRegions];
    this.#staleRegions.clear();
    return regions;
  }
}

/** What was copied to the replacement so far; of `CopyOrder`. */
export interface FilledRegions {
  readonly regionCount: number;
  /** As a whole, and is not to be copied again. */
  isCopied(region: number): boolean;
  /** At some time. */
  wasCopied(region: number): boolean;
}

const NOTHING_FILLED: FilledRegions = { regionCount: 0, isCopied: () => false, wasCopied: () => false };

const ALL_TARGETS = 0xffff;

export interface MirrorFailure {
  readonly operation: 'write' | 'flush';
  readonly offsetBytes: number;
  readonly errno: number;
}

/** The caller holds the lock of the range, in all three. */
export function* mirrorWrite(context: ColdContext, range: ByteRange): Procedure<void> {
  const { mirror, filter } = context;
  const { offsetBytes, lengthBytes, memoryOffset } = range;
  if (!mirror.covers(filter, offsetBytes, lengthBytes)) return;
  yield* writeReplacement(context, offsetBytes, lengthBytes, memoryOffset);
  mirror.noteWritten(context.shape, offsetBytes, lengthBytes);
}

export function* mirrorZeroes(
  context: ColdContext,
  offsetBytes: number,
  lengthBytes: number,
  mayUnmap: boolean,
): Procedure<void> {
  const { mirror, filter, zeroes } = context;
  if (!mirror.covers(filter, offsetBytes, lengthBytes)) return;
  mirror.noteWritten(context.shape, offsetBytes, lengthBytes);
  const effect = { kind: 'writeZeroes', target: REPLACEMENT, offsetBytes, lengthBytes, mayUnmap } as const;
  const result = yield* perform(effect);
  if (result >= 0) return;
  if (classifyError(-result, 'write') !== 'protocol')
    return mirror.noteFailure({ operation: 'write', offsetBytes, errno: -result });
  const end = offsetBytes + lengthBytes;
  for (let at = offsetBytes; at < end && mirror.isOn; at += zeroes.lengthBytes)
    yield* writeReplacement(context, at, Math.min(zeroes.lengthBytes, end - at), zeroes.memoryOffset);
}

/** A hint: what it refuses it keeps, as the main device may. */
export function* mirrorDiscard(
  context: ColdContext,
  offsetBytes: number,
  lengthBytes: number,
): Procedure<void> {
  if (!context.mirror.covers(context.filter, offsetBytes, lengthBytes)) return;
  yield* perform({ kind: 'discard', target: REPLACEMENT, offsetBytes, lengthBytes });
}

/** False: the replacement has failed. */
export function* writeReplacement(
  { mirror }: Pick<ColdContext, 'mirror'>,
  offsetBytes: number,
  lengthBytes: number,
  memoryOffset: number,
): Procedure<boolean> {
  if (!mirror.isOn) return false;
  const effect = { kind: 'write', target: REPLACEMENT, offsetBytes, lengthBytes, memoryOffset } as const;
  const result = yield* perform(effect);
  if (result < 0) mirror.noteFailure({ operation: 'write', offsetBytes, errno: -result });
  return result >= 0;
}
