import type {
  EvacuationReport,
  ProtectedDevice,
  SettingChanges,
  SettingReport,
  SettingsChanged,
} from '../library/device-types.js';
import type { EvacuationPlan } from '../library/plan-evacuation.js';
import type { ReplaceMainPlan } from '../library/replace-main.js';
import type { AddSpareResult, RemoveSpareResult } from '../library/spare-types.js';
import type { EventHistory } from './event-history.js';
import type { Figures } from './figures.js';
import type { CreatedAs } from './schema/device.js';
import type { JobReport } from './schema/jobs.js';

/** The set is opened again for them. `told` resolves when the one who asked has the answer: not before. */
export interface ChangesOfSpares {
  add(request: AddSpareRequest, told: Promise<void>): Promise<AddSpareResult>;
  /** Nothing may live on it. */
  remove(spareIndex: number, told: Promise<void>): Promise<RemoveSpareResult>;
}

export interface AddSpareRequest {
  readonly device: string;
  readonly force: boolean;
  /** Only look, and answer what would be done. */
  readonly dryRun: boolean;
}

/** Copying the set to another disk, and having that take over. */
export interface EvacuationAtWork {
  begin(request: EvacuationRequest): Promise<BegunEvacuation>;
  report(): Promise<EvacuationReport | undefined>;
  /** The disk takes over: the set is opened again for it. `told` as in `ChangesOfSpares`. */
  finish(told: Promise<void>): Promise<ReplaceMainPlan>;
  cancel(): Promise<EvacuationReport | undefined>;
  /** The main device is gone and not waited for: what was not copied is lost. */
  acceptLoss(): Promise<EvacuationReport>;
}

export interface EvacuationRequest {
  readonly device: string;
  readonly force: boolean;
  /** Only look, and answer what would be done. */
  readonly dryRun: boolean;
}

export interface BegunEvacuation extends EvacuationPlan {
  /** Undefined: it was not begun. */
  readonly evacuation: EvacuationReport | undefined;
}

/** Long work, which the next process goes on with. What there is not is undefined. */
export interface JobsAtWork {
  list(): Promise<readonly JobReport[]>;
  /** Begins it, or goes on with that which is there. */
  emptySpare(request: EmptyingRequest): Promise<JobReport>;
  /** Gives that up: the spare takes units again. */
  keepSpare(spareIndex: number): Promise<void>;
  /** As `emptySpare`. */
  consolidate(): Promise<JobReport>;
  pause(id: string): Promise<JobReport | undefined>;
  resume(id: string): Promise<JobReport | undefined>;
  cancel(id: string): Promise<JobReport | undefined>;
}

export interface EmptyingRequest {
  readonly spareIndex: number;
  /** Blocks that the spare does not give any more are lost; else their units stay. */
  readonly acceptsLoss: boolean;
  /** Units go there while it takes them; undefined: as the allocation policy says. */
  readonly toSpareIndex: number | undefined;
}

/** The settings of the set, those of its log among them. */
export interface SettingsAtWork {
  all(): Promise<readonly SettingReport[]>;
  change(changes: SettingChanges): Promise<SettingsChanged>;
  /** For the log, where that is wanted: a line. */
  requestAnswered(request: string): void;
}

/** What the control socket speaks of: one set at work in this process. */
export interface ServedSet {
  readonly device: Pick<
    ProtectedDevice,
    | 'info'
    | 'status'
    | 'remaps'
    | 'remapAt'
    | 'moveByHand'
    | 'giveBack'
    | 'spareUse'
    | 'scrubMetadata'
    | 'flush'
    | 'suspend'
    | 'resume'
    | 'ublk'
  >;
  /** What it is called while it is served, if that is not the name in its metadata. */
  readonly name: string | undefined;
  /** The table that `dmremap create` was given. */
  readonly createdAs: CreatedAs | undefined;
  readonly figures: Figures;
  readonly events: EventHistory;
  readonly spares: ChangesOfSpares;
  readonly evacuation: EvacuationAtWork;
  readonly jobs: JobsAtWork;
  readonly settings: SettingsAtWork;
  /** NBD URIs that clients can connect to now. */
  readonly nbdUris: () => readonly string[];
  readonly programVersion: string;
  /** Seconds since 1970. */
  readonly startedSeconds: number;
}
