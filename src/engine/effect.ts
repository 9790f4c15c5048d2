import { MAX_SPARES } from '../format/layout.js';

/**
 * How pure code asks for I/O. A cold-path procedure (relocation, salvage, recovery, a metadata commit) is a
 * generator: it yields what is to be done and is resumed with the outcome. It reads like straight code, knows no
 * clock and no system call, and a simulator can run, reorder or kill it at every yield.
 *
 * Answers: a byte count or negative errno for I/O, 0 or a negative errno for `commit`, a lock id for `lock`,
 * seconds for `wallClock`, milliseconds for `now`, 0 for the rest; an array of these, in order, for `all`.
 */
export type Effect =
  | TransferEffect
  | { readonly kind: 'flush'; readonly target: Target }
  | {
      readonly kind: 'discard';
      readonly target: Target;
      readonly offsetBytes: number;
      readonly lengthBytes: number;
    }
  | {
      readonly kind: 'writeZeroes';
      readonly target: Target;
      readonly offsetBytes: number;
      readonly lengthBytes: number;
      readonly mayUnmap: boolean;
    }
  | { readonly kind: 'all'; readonly effects: readonly Effect[] }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'now' }
  | { readonly kind: 'wallClock' }
  /** Sole use of these main units: no request is in flight on them or starts on them until `unlock`. */
  | { readonly kind: 'lock'; readonly firstUnit: number; readonly lastUnit: number }
  /** As `lock`, but answers 0 at once where somebody else is at work on these units. */
  | { readonly kind: 'tryLock'; readonly firstUnit: number; readonly lastUnit: number }
  | { readonly kind: 'unlock'; readonly lockId: number }
  /** Makes descriptor changes durable, after all data that was written to spares before, then publishes them. */
  | { readonly kind: 'commit'; readonly changes: readonly DescriptorChange[] }
  /** Has it recorded that these parts may differ on the disk that everything is copied to (`SettledParts`). */
  | { readonly kind: 'unsettle'; readonly parts: readonly number[] };

export interface TransferEffect {
  readonly kind: 'read' | 'write';
  readonly target: Target;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly memoryOffset: number;
}

/** 0 is the main device, 1 + n is spare n; behind these the replacement. */
export type Target = number;
export const MAIN: Target = 0;

/** The disk that is to become the main device, while it is filled; not one of the set. */
export const REPLACEMENT: Target = 1 + MAX_SPARES;
/** The main device, the spares and a replacement of the main device. */
export const TARGET_COUNT = REPLACEMENT + 1;

export function spareTarget(spareIndex: number): Target {
  return 1 + spareIndex;
}

/** What one spare unit's descriptor is to say. `mainUnit` is 0 where the state is not mapped. */
export interface DescriptorChange {
  readonly spareUnit: number;
  readonly state: number;
  readonly mainUnit: number;
  readonly lostMask: number;
  readonly moveCount: number;
  readonly reason: number;
  /**
   * Failed flushes of the spare (`ColdContext.flushFailuresOf`) before the unit's data was written. A flush that fails
   * after that may have dropped the data while the next one succeeds, so the change must not be committed then.
   */
  readonly flushFailuresBefore?: number;
}

/** A pure procedure: yields effects, ends with a value. Answers are typed by the functions below only. */
export type Procedure<Value> = Generator<Effect, Value, unknown>;

export function* perform(effect: Exclude<Effect, { kind: 'all' }>): Procedure<number> {
  return (yield effect) as number;
}

/** All at once, in any order; done when the last one is. */
export function* performAll(effects: readonly Effect[]): Procedure<readonly number[]> {
  return (yield { kind: 'all', effects }) as readonly number[];
}
