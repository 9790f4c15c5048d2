/** The public interface of the package; everything else is internal. */
export type {
  DeviceInfo,
  DeviceNotice,
  DeviceStatus,
  NbdEndpoint,
  OpenDeviceOptions,
  ProtectedDevice,
  ServeNbdOptions,
} from './device-types.js';
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
export type { FormatOptions, FormatPlan, FormatTarget, InspectReport, RemapReport } from './offline-types.js';
export { openDevice } from './open-device.js';
