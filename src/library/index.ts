/** The public interface of the package; everything else is internal. */

export { checkMetadata } from './check-metadata.js';
export type {
  DeviceInfo,
  DeviceNotice,
  DeviceStatus,
  NbdEndpoint,
  OpenDeviceOptions,
  ProtectedDevice,
  ServeNbdOptions,
} from './device-types.js';
export { dumpMetadata } from './dump-metadata.js';
export { DmRemapError, type FailureClass } from './errors.js';
export { formatSpares, planFormat } from './format-spares.js';
export { importSpare, planImport } from './import-spare.js';
export type {
  ImportOptions,
  ImportPlan,
  ImportResult,
  ImportWatch,
  ModuleSpareOptions,
  ModuleSpareReport,
} from './import-types.js';
export { inspectModuleSpare } from './inspect-module-spare.js';
export { inspectSpares } from './inspect-spares.js';
export type {
  CheckReport,
  DumpReport,
  RepairOptions,
  RepairReport,
  RestoreOptions,
  RestorePlan,
  TransferWatch,
} from './metadata-types.js';
export type { FormatOptions, FormatPlan, FormatTarget, InspectReport, RemapReport } from './offline-types.js';
export { openDevice } from './open-device.js';
export { planMetadataRepair, repairMetadata } from './repair-metadata.js';
export { planMetadataRestore, restoreMetadata } from './restore-metadata.js';
