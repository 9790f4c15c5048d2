import type { FailureClass } from './errors.js';
import type { RestoredField } from './restored-fields.js';

/** What `checkMetadata` finds; numbers are exact, sizes and places in bytes. */
export interface CheckReport {
  /**
   * `clean`; `damaged`: complete, and the next start or a repair makes it whole; `doubtful`: complete if what is there is
   * the newest, so that a person has to decide; `unusable`: part of the map or all of it is gone.
   */
  readonly state: 'clean' | 'damaged' | 'doubtful' | 'unusable';
  /** Why the set is not started as it is; null where it is. */
  readonly problem: MetadataProblem | null;
  /** Null where no superblock counts. */
  readonly set: SetReport | null;
  readonly copies: readonly CopyReport[];
  readonly findings: readonly FindingReport[];
  /** Pages of the map without any valid version. */
  readonly lostPages: readonly number[];
  /** Pages of which a newer version may have been lost. */
  readonly maybeOutdatedPages: readonly number[];
  /** Entries of the map that contradict its layout, by number of the spare unit. */
  readonly impossibleUnits: readonly number[];
  /** Pages with an entry that a newer one overrides: left by a power cut in the middle of a move. */
  readonly supersededPages: readonly number[];
  /** What lies wherever a superblock may be. */
  readonly anchors: readonly AnchorReport[];
}

export interface MetadataProblem {
  readonly failure: FailureClass;
  readonly message: string;
}

export interface SetReport {
  readonly setId: string;
  readonly name: string;
  readonly sequence: number;
  readonly generation: number;
  readonly cleanShutdown: boolean;
  readonly unitBytes: number;
  readonly logicalBlockBytes: number;
  readonly mainSizeBytes: number;
  readonly mainModel: string;
  readonly mainSerial: string;
  readonly remappedUnits: number;
  readonly unitsWithLostBlocks: number;
  readonly retiredSpareUnits: number;
  /** By index of the spare; null: not given. */
  readonly sparePaths: readonly (string | null)[];
}

/** One copy of the metadata. */
export interface CopyReport {
  readonly index: number;
  readonly spareIndex: number;
  /** Null: its spare was not given. */
  readonly path: string | null;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly state: 'good' | 'damaged' | 'missing';
  /** Of the slot that the current superblock belongs in. */
  readonly superblock: string;
  readonly goodPages: number;
  readonly badPages: number;
  readonly note: 'current' | 'blank' | 'different' | 'unreadable' | 'missing';
}

/** A block, or a row of them, that is not as it should be. */
export interface FindingReport {
  readonly what: 'superblock' | 'page' | 'note';
  readonly copyIndex: number;
  /** Of the two versions that superblocks and pages have. */
  readonly slot: number;
  readonly firstPage: number;
  readonly pageCount: number;
  /** Where the first of them is on its spare. */
  readonly offsetBytes: number;
  readonly state: string;
  /** What the next start or a repair does about it; a start leaves the notes. */
  readonly action: 'rewritten' | 'updatedTwice' | 'none';
}

export interface AnchorReport {
  readonly path: string;
  readonly offsetBytes: number;
  /** `superblock` or what is there instead. */
  readonly state: string;
  readonly setId: string | null;
  readonly sequence: number | null;
}

/** What `repairMetadata` would write. */
export interface RepairReport {
  /** Identifies this plan and the state of the set that it is for. */
  readonly planId: string;
  readonly nothingToDo: boolean;
  /** What was found; after a repair, what is left. */
  readonly check: CheckReport;
  readonly superblockCopies: readonly number[];
  readonly updatesSuperblockTwice: boolean;
  /** How far the set is copied to another disk is recorded, and will not be any more: the copying begins anew. */
  readonly forgetsCopying: boolean;
  readonly inPlacePages: number;
  readonly pagesWrittenTwice: number;
  readonly noteCopies: readonly number[];
  /** What can't be rebuilt, in words. */
  readonly notRepairable: readonly string[];
}

/** For work that may take minutes on a large or failing spare. */
export interface TransferWatch {
  /** Called with all that was asked for so far. */
  readonly onTransfer?: ((readBytes: number, writtenBytes: number) => void) | undefined;
}

export interface RepairOptions extends TransferWatch {
  readonly spares: readonly string[];
  /** Go on although the newest state may not be there, or a spare can't prove what it is. */
  readonly force?: boolean | undefined;
  /** Of the plan that was agreed to; another one is refused. */
  readonly planId?: string | undefined;
}

export interface DumpReport {
  readonly setId: string;
  /** The text, in pieces. */
  readonly pieces: Iterable<string>;
  /** Pages that are missing from it. */
  readonly lostPages: readonly number[];
}

export interface RestoreOptions extends TransferWatch {
  readonly spares: readonly string[];
  /** The dump, and the name of its file for messages. */
  readonly text: string;
  readonly fileName: string;
  /** Overwrite spares that hold something else, or that are not known to be the ones. */
  readonly force?: boolean | undefined;
  readonly planId?: string | undefined;
}

/** What `restoreMetadata` would write. */
export interface RestorePlan {
  readonly planId: string;
  readonly setId: string;
  readonly name: string;
  /** `inPlace`: one step from the map that is there to the other; `anew`: the metadata is written from nothing. */
  readonly mode: 'inPlace' | 'anew';
  readonly spares: readonly RestoreTarget[];
  /** In the dump. */
  readonly remaps: number;
  readonly retired: number;
  /** Compared with the map that is there; null where none can be read. */
  readonly changes: {
    readonly added: number;
    readonly removed: number;
    readonly changed: number;
  } | null;
  /** What else changes, such as what reading a lost block gives, or which disk is the main device. */
  readonly fields: readonly RestoredField[];
}

export interface RestoreTarget {
  readonly index: number;
  readonly path: string;
  /** How it is known to be this spare. */
  readonly knownBy: 'superblock' | 'note' | 'position';
}
