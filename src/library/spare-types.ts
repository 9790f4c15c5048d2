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
}

/** What adding would do, for consent; and afterwards what was done. */
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
