import type { RemapDoubt } from '../format/import/module-remap.js';
import type { FormatPlan } from './offline-types.js';

/** What `inspectModuleSpare` takes. */
export interface ModuleSpareOptions {
  /** The spare that the kernel module has written. */
  readonly spare: string;
  /** The main device that it belongs to; without it, its size is taken from the record. */
  readonly main?: string | undefined;
}

/** What `planImport` and `importSpare` take. */
export interface ImportOptions {
  readonly spare: string;
  readonly main: string;
  /** The device or file that becomes the spare of the new set. */
  readonly to: string;
  /** Also import remaps that not all valid copies of the record have, if nothing else speaks against them. */
  readonly includeDisputed?: boolean | undefined;
  /** Overwrite `to` although it holds something; take a main device of another size, and a spare with another use. */
  readonly force?: boolean | undefined;
}

/** For `importSpare`, beside its options. */
export interface ImportWatch {
  /** Rejects if the remaps are no longer those of this plan: a spare that fails may answer differently each time. */
  readonly agreed?: ImportPlan | undefined;
  /** Called after each unit that was read. */
  readonly onRead?: ((doneCount: number, unitCount: number) => void) | undefined;
}

/** What the kernel module has left on a spare. Sectors have 512 bytes; times are seconds since 1970. */
export interface ModuleSpareReport {
  readonly spare: { readonly path: string; readonly sizeBytes: number };
  readonly main: { readonly path: string; readonly sizeBytes: number } | null;
  readonly layout: ModuleLayout;
  /** What else the spare was made into, in words: its remaps may be of data that is gone. Null: nothing shows that. */
  readonly otherUse: string | null;
  /** Remaps can be read from it at all. */
  readonly isUsable: boolean;
  /** In words, one line. */
  readonly explanation: string;
  /** What a person should know before relying on it. */
  readonly notes: readonly string[];
  /** Null unless usable. `sequence`: null where the layout has none. */
  readonly recorded: {
    readonly mainSectors: number | null;
    readonly spareSectors: number | null;
    readonly timeSeconds: number | null;
    readonly sequence: number | null;
  } | null;
  /** Of version 4, all five; otherwise empty. */
  readonly copies: readonly ModuleCopyReport[];
  readonly remaps: readonly ModuleRemapReport[];
}

export type ModuleLayout =
  | 'v4.2'
  | 'v3'
  /** A record of version 4 without a valid copy. */
  | 'damaged v4'
  | 'v4.0 or v4.1'
  | 'script record'
  | 'unusable v3'
  | 'none';

export interface ModuleCopyReport {
  readonly sector: number;
  /** `good`, `badChecksum`, `unreadable`, `blank`, ... */
  readonly state: string;
  readonly isChosen: boolean;
  /** Null unless the copy is whole. */
  readonly sequence: number | null;
  readonly timeSeconds: number | null;
  readonly remapCount: number | null;
  readonly mainSectors: number | null;
}

export interface ModuleRemapReport {
  /** Null: a number that no disk has. */
  readonly mainSector: number | null;
  readonly spareSector: number | null;
  readonly state: 'active' | 'pending' | 'unknown';
  /** 0: not recorded. */
  readonly timeSeconds: number;
  /** The copies that say so; none where only a header of version 3 over them does. */
  readonly copies: readonly number[];
  /** Empty: the remap is trusted. */
  readonly doubts: readonly RemapDoubt[];
}

/** What an import would do, for consent. */
export interface ImportPlan extends ModuleSpareReport {
  readonly main: { readonly path: string; readonly sizeBytes: number };
  /** The new set; its one spare is `to`. */
  readonly target: FormatPlan;
  /** Those of `remaps` that are imported, in the order of the main device. */
  readonly imported: readonly ModuleRemapReport[];
  /** Those that are not. */
  readonly leftOut: readonly ModuleRemapReport[];
  /** Units of the new set that this makes. */
  readonly unitCount: number;
}

/** What an import has done. */
export interface ImportResult extends ImportPlan {
  /** Main sectors that could be read neither now nor again: they give an error until they are written anew. */
  readonly lostOnSpare: readonly number[];
  /** The same, of sectors that were not moved but share a unit with one that was. */
  readonly lostOnMain: readonly number[];
}
