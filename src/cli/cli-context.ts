import type { Machine } from '../boot/machine.js';
import type { RunningSet } from '../control/client/running-sets.js';
import type { OpenDeviceOptions, ProtectedDevice } from '../library/device-types.js';
import type { PairReport } from '../library/examine-pair.js';
import type {
  ImportOptions,
  ImportPlan,
  ImportResult,
  ImportWatch,
  ModuleSpareOptions,
  ModuleSpareReport,
} from '../library/import-types.js';
import type {
  CheckReport,
  DumpReport,
  RepairOptions,
  RepairReport,
  RestoreOptions,
  RestorePlan,
  TransferWatch,
} from '../library/metadata-types.js';
import type { FormatOptions, FormatPlan, InspectReport } from '../library/offline-types.js';
import type { EvacuationOptions, EvacuationPlan } from '../library/plan-evacuation.js';
import type { ReplaceMainOptions, ReplaceMainPlan } from '../library/replace-main.js';
import type { ScanOptions, ScanReport } from '../library/scan-types.js';
import type {
  AddSpareOptions,
  AddSparePlan,
  AddSpareResult,
  RemoveSpareOptions,
  RemoveSpareResult,
} from '../library/spare-types.js';
import type { StoppedBlockDevice } from '../library/stop-block-device.js';
import type { WipeOptions, WipePlan } from '../library/wipe-set.js';
import type { BackgroundOutcome, BackgroundRequest } from './background-run.js';
import type { Output } from './output.js';
import type { ServiceManager } from './service-manager.js';
import type { StopSignals } from './stop-signals.js';

/** Everything that a command may touch; tests hand in their own. */
export interface CliContext {
  readonly library: LibraryCalls;
  readonly out: Output;
  readonly err: Output;
  /** Reads one line from the terminal; undefined when there is nobody to ask. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  readonly stopSignals: StopSignals;
  readonly serviceManager: ServiceManager;
  /** For preparing a set for boot. */
  readonly machine: Machine;
  readonly version: string;
  /** What this program was started with, without its own name. */
  readonly commandLine: readonly string[];
  /** Holds dm-remap.yaml and conf.d, where there is a configuration. */
  readonly configurationDirectory: string;
  /** Where control sockets are; undefined where this user has no place for them. */
  readonly runDirectory: string | undefined;
  /** Where this machine keeps what outlives processes, if nothing else says; undefined for a user. */
  readonly stateDirectory: string | undefined;
  readonly running: RunningCalls;
  /** Starts `dmremap run` as a process of its own. */
  startInBackground(request: BackgroundRequest): Promise<BackgroundOutcome>;
}

/** Sets that processes serve now, asked over their control sockets. Every call may reject with `DmRemapError`. */
export interface RunningCalls {
  all(): Promise<readonly RunningSet[]>;
  /** Sockets whose process gave no answer, or which this user may not ask, whenever all were asked; a person was told. */
  readonly silent: ReadonlySet<string>;
  /** By name, set id, block device, main device or spare. */
  one(wanted: string): Promise<RunningSet>;
}

/** The part of the library that commands use; every call may reject with `DmRemapError`. */
export interface LibraryCalls {
  openDevice(options: OpenDeviceOptions): Promise<ProtectedDevice>;
  planFormat(options: FormatOptions): Promise<FormatPlan>;
  formatSpares(options: FormatOptions): Promise<FormatPlan>;
  /** Before a block device is served; may start the program again in place. Answers what could not be had. */
  guardAgainstReclaim(): Promise<readonly string[]>;
  /** Starts this program again in place, with this command line; does not return. */
  startAgain(commandLine: readonly string[]): Promise<never>;
  planAddSpare(options: AddSpareOptions): Promise<AddSparePlan>;
  addSpare(options: AddSpareOptions, expected?: AddSparePlan): Promise<AddSpareResult>;
  removeSpare(options: RemoveSpareOptions): Promise<RemoveSpareResult>;
  planEvacuation(options: EvacuationOptions): Promise<EvacuationPlan>;
  /** A text by which a disk is known again; undefined where there is nothing to know it by. */
  identifyDisk(path: string): Promise<string | undefined>;
  /** Of what the main device holds, as far as can be told; false where it can't. */
  holdsCopy(main: string, device: string): Promise<boolean>;
  planReplaceMain(options: ReplaceMainOptions): Promise<ReplaceMainPlan>;
  replaceMain(options: ReplaceMainOptions, expected?: ReplaceMainPlan): Promise<ReplaceMainPlan>;
  stopBlockDevice(path: string, options: { readonly force: boolean }): Promise<StoppedBlockDevice>;
  /** Rejects where no block device can be served on this machine. */
  checkUblk(): Promise<void>;
  /** Who uses a block device, in words. */
  blockDeviceUsers(path: string): Promise<readonly string[]>;
  examinePair(main: string, spare: string): Promise<PairReport>;
  /** Asks a process that serves a set to stop, and waits for its end. */
  endProcess(processId: number): Promise<void>;
  isProcessAlive(processId: number): Promise<boolean>;
  planWipe(options: WipeOptions): Promise<WipePlan>;
  wipeSet(options: WipeOptions, expected: WipePlan): Promise<WipePlan>;
  inspectSpares(paths: readonly string[]): Promise<InspectReport>;
  scanSets(options: ScanOptions): Promise<ScanReport>;
  checkMetadata(paths: readonly string[], watch: TransferWatch): Promise<CheckReport>;
  dumpMetadata(paths: readonly string[], watch: TransferWatch): Promise<DumpReport>;
  planMetadataRepair(options: RepairOptions): Promise<RepairReport>;
  repairMetadata(options: RepairOptions): Promise<RepairReport>;
  planMetadataRestore(options: RestoreOptions): Promise<RestorePlan>;
  restoreMetadata(options: RestoreOptions): Promise<RestorePlan>;
  inspectModuleSpare(options: ModuleSpareOptions): Promise<ModuleSpareReport>;
  planImport(options: ImportOptions): Promise<ImportPlan>;
  importSpare(options: ImportOptions, watch: ImportWatch): Promise<ImportResult>;
}
