import type { Machine } from '../boot/machine.js';
import type { RunningSet } from '../control/client/running-sets.js';
import type { OpenDeviceOptions, ProtectedDevice } from '../library/device-types.js';
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
  /** Where control sockets are; undefined where this user has no place for them. */
  readonly runDirectory: string | undefined;
  readonly running: RunningCalls;
}

/** Sets that processes serve now, asked over their control sockets. Every call may reject with `DmRemapError`. */
export interface RunningCalls {
  all(): Promise<readonly RunningSet[]>;
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
  stopBlockDevice(path: string, options: { readonly force: boolean }): Promise<void>;
  inspectSpares(paths: readonly string[]): Promise<InspectReport>;
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
