import type { CounterName } from '../engine/counters.js';
import type { RemapReport } from '../runtime/remap-report.js';
import type { SettingReport } from '../settings/settings-in-force.js';

export type { RemapReport } from '../runtime/remap-report.js';

/** What `formatSpares` takes. */
export interface FormatOptions {
  readonly main: string;
  readonly spares: readonly string[];
  /** Default 4096, or the logical block if that is larger. */
  readonly unitBytes?: number | undefined;
  /** Default 5, at least one per spare. */
  readonly copies?: number | undefined;
  readonly name?: string | undefined;
  /** Overwrite spares that hold something. */
  readonly force?: boolean | undefined;
  /** The set is to be opened next: refused where somebody else has the main device in use. */
  readonly holdsMain?: boolean | undefined;
}

/** What formatting would write, for consent; and afterwards what it has written. */
export interface FormatPlan {
  readonly setId: string;
  readonly name: string;
  readonly main: FormatTarget;
  /** At the end of an image, less than a logical block; they are not served. */
  readonly mainUnusedBytes: number;
  readonly spares: readonly FormatTarget[];
  readonly unitBytes: number;
  readonly logicalBlockBytes: number;
  readonly copies: readonly { readonly spareIndex: number; readonly offsetBytes: number }[];
  readonly usableSpareUnits: number;
}

export interface FormatTarget {
  readonly path: string;
  readonly sizeBytes: number;
  readonly model: string;
  readonly serial: string;
  /** What is on it now, e.g. `ext4`, `GPT partition table`, `dm-remap metadata (set ...)`; null if nothing known. */
  readonly signature: string | null;
}

/** What `inspectSpares` finds; numbers are exact, sizes in bytes. */
export interface InspectReport {
  readonly setId: string;
  readonly name: string;
  readonly formatVersion: number;
  readonly sequence: number;
  readonly generation: number;
  readonly cleanShutdown: boolean;
  readonly openCount: number;
  readonly createdSeconds: number;
  readonly updatedSeconds: number;
  readonly unitBytes: number;
  readonly logicalBlockBytes: number;
  readonly main: {
    readonly sizeBytes: number;
    readonly model: string;
    readonly serial: string;
    readonly wwn: string;
  };
  readonly spares: readonly {
    readonly index: number;
    /** null: listed in the metadata, not given. */
    readonly path: string | null;
    readonly uuid: string;
    readonly sizeBytes: number;
    readonly initialisedPages: number;
    /** Older than its partners: it failed, was left out, or is an old copy. What is said to live on it may not be there. */
    readonly isStale: boolean;
  }[];
  readonly copies: readonly {
    readonly index: number;
    readonly spareIndex: number;
    readonly offsetBytes: number;
    /** Of its superblock: `good`, `stale`, `damaged`, `unreadable`, `missing`, ... */
    readonly superblock: string;
    readonly goodPages: number;
    /** Missing, stale, damaged or unreadable: rewritten at the next start. */
    readonly badPages: number;
  }[];
  /** Pages of the map that only a missing spare has: what lives on it is not known. */
  readonly outOfReachPages: number;
  /** Pages of the map whose newest version may be lost, although the set was stopped cleanly. */
  readonly maybeOutdatedPages: number;
  readonly usableSpareUnits: number;
  readonly freeSpareUnits: number;
  readonly retiredSpareUnits: number;
  readonly remaps: readonly RemapReport[];
  readonly counters: Readonly<Record<CounterName, number>>;
  /** As the set would be served with, unless something else is given then. */
  readonly settings: readonly SettingReport[];
}
