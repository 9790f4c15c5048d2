/** What `scanSets` takes. */
export interface ScanOptions {
  /** Devices or images to look at; by itself all block devices of the machine. */
  readonly paths?: readonly string[] | undefined;
  /** Sets that are served now: their devices are known, and what is stored on them changes while one looks. */
  readonly served?: readonly ServedDevices[] | undefined;
  /** Main devices that a person named, by set id or name: these are judged, no other is looked for. */
  readonly mains?: Readonly<Record<string, string>> | undefined;
}

export interface ServedDevices {
  readonly setId: string;
  readonly main: string;
  readonly spares: readonly string[];
  /** Block devices that serve it: they show what is on the main device. */
  readonly blockDevices: readonly string[];
}

/** Every set of which something was found. */
export interface ScanReport {
  readonly sets: readonly ScannedSet[];
  /** Devices with metadata that belongs to no set that can be named. */
  readonly doubtful: readonly { readonly path: string; readonly reason: string }[];
  /** Block devices that could not be looked at. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
}

export interface ScannedSet {
  readonly setId: string;
  readonly name: string;
  readonly sequence: number;
  readonly cleanShutdown: boolean;
  readonly updatedSeconds: number;
  readonly main: ScannedMain;
  readonly spares: readonly ScannedSpare[];
  /** Worst first; empty: everything is there, and is what it should be. */
  readonly problems: readonly ScanProblem[];
}

export interface ScannedMain {
  /** As it is recorded. */
  readonly sizeBytes: number;
  readonly model: string;
  readonly serial: string;
  readonly wwn: string;
  /** Null: not found, or not to be told from others. */
  readonly path: string | null;
  /** Devices that can't be told apart, where `path` is null. */
  readonly candidates: readonly string[];
  readonly provedBy: MainProof | null;
}

/**
 * `serialNumber`: or WWN. `contents`: the blocks that were sampled at the last clean stop are as they were then. `size`:
 * nothing speaks against it, and nothing else for it. `served`: it is at work.
 */
export type MainProof = 'serialNumber' | 'contents' | 'size' | 'served';

export interface ScannedSpare {
  readonly index: number;
  readonly uuid: string;
  readonly sizeBytes: number;
  /** Null: not found. */
  readonly path: string | null;
  readonly model: string;
  readonly serial: string;
}

export interface ScanProblem {
  readonly id: ScanProblemId;
  /** The set must not be started like this. */
  readonly blocks: boolean;
  /** One sentence: what, and where. */
  readonly message: string;
}

export type ScanProblemId =
  | 'newerFormat'
  | 'mixedSets'
  | 'spareSeenTwice'
  | 'copyVisible'
  | 'spareShrunk'
  | 'spareReplaced'
  | 'spareStale'
  | 'spareMissing'
  | 'sparesDiverged'
  | 'contested'
  | 'readOnlyFeature'
  | 'mainMissing'
  | 'mainUnproven'
  | 'mainSeenTwice'
  | 'mainChanged'
  | 'wrongMain';
