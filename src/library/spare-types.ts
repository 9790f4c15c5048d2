import type { TransferWatch } from './metadata-types.js';
import type { FormatTarget } from './offline-types.js';

/** What `addSpare` takes: a set that is not at work, whole, and a device to become its next spare. */
export interface AddSpareOptions extends TransferWatch {
  readonly main: string;
  readonly spares: readonly string[];
  readonly device: string;
  /** Overwrite a device that holds something. */
  readonly force?: boolean | undefined;
  /** So long the spares may be in use yet: the kernel lets go of them some time after who had them has closed them. */
  readonly openPatienceMs?: number | undefined;
}

/** What `removeSpare` takes: a set that is not at work, whole, and which of its spares is to go. */
export interface RemoveSpareOptions extends TransferWatch {
  readonly spares: readonly string[];
  /** One of them. */
  readonly device: string;
  readonly openPatienceMs?: number | undefined;
}

export interface RemoveSpareResult {
  readonly setId: string;
  readonly name: string;
  readonly path: string;
  readonly unitBytes: number;
  /** Room for bad sectors in units, all spares that are left together. */
  readonly usableSpareUnits: number;
  readonly leftToStart?: LeftToStart;
}

/** What adding would do, for consent. */
export interface AddSparePlan {
  readonly setId: string;
  readonly name: string;
  readonly device: FormatTarget;
  /** From 0. */
  readonly spareIndex: number;
  readonly unitBytes: number;
  /** Room for bad sectors in units, all spares together. */
  readonly usableSpareUnitsBefore: number;
  readonly usableSpareUnits: number;
}

/** What was added. */
export interface AddSpareResult extends AddSparePlan {
  readonly leftToStart?: LeftToStart;
}

/**
 * Why what comes after the change has failed: the copies of the map that the set has now are not complete, or, for want of
 * the mark, the set does not count as cleanly stopped. The next start makes up for it. Undefined: nothing is left.
 */
export type LeftToStart = string | undefined;
