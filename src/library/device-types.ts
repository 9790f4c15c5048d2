import type { BlockStatistics } from '../kernel/block-statistics.js';
import type { ConsolidateCall, ConsolidationReport } from '../runtime/consolidate.js';
import type { DeviceInfo, DeviceNotice, DeviceStatus, ScrubReport } from '../runtime/device-report.js';
import type { EmptyReport, EmptySpareCall } from '../runtime/empty-spare.js';
import type { EvacuationReport } from '../runtime/evacuation-calls.js';
import type { SectorRange, SparePlace } from '../runtime/hand-calls.js';
import type { HandReport } from '../runtime/hand-turns.js';
import type { RemapPage } from '../runtime/list-remaps.js';
import type { SettingsChanged } from '../runtime/messages.js';
import type { RemapReport } from '../runtime/remap-report.js';
import type { SpareUse } from '../runtime/spare-use.js';
import type { SettingChanges } from '../settings/setting-changes.js';
import type { SettingInput } from '../settings/setting-kind.js';
import type { SettingKey } from '../settings/setting-table.js';
import type { SettingReport } from '../settings/settings-in-force.js';

export type { ConsolidateCall, ConsolidationReport } from '../runtime/consolidate.js';
export type {
  DeviceInfo,
  DeviceNotice,
  DeviceStatus,
  EmptyingReport,
  GoneReport,
  MemberInfo,
  ScrubReport,
  SpareInfo,
} from '../runtime/device-report.js';
export type { EmptyReport, EmptySpareCall } from '../runtime/empty-spare.js';
export type { EvacuationReport } from '../runtime/evacuation-calls.js';
export type { SectorRange, SparePlace } from '../runtime/hand-calls.js';
export type { HandRefusal, HandReport } from '../runtime/hand-turns.js';
export type { RemapPage } from '../runtime/list-remaps.js';
export type { SettingsChanged } from '../runtime/messages.js';
export type { RemapReport } from '../runtime/remap-report.js';
export type { SpareUse } from '../runtime/spare-use.js';
export type { SettingChanges } from '../settings/setting-changes.js';
export type { SettingReport } from '../settings/settings-in-force.js';

/** What `openDevice` takes. Paths name block devices or image files. */
export interface OpenDeviceOptions {
  readonly main: string;
  /** In any order; all spares of the set must be given. */
  readonly spares: readonly string[];
  /** Default: io_uring where the kernel permits it, else plain file I/O. */
  readonly io?: 'uring' | 'portable' | undefined;
  /** Path of a fault scenario (docs/fault-scenarios.md). */
  readonly faults?: string | undefined;
  /** What reading a lost block gives; by itself as the settings of the set say, like the two below. */
  readonly onLost?: 'error' | 'zero' | undefined;
  /** Format the spares first if they are blank. */
  readonly init?: boolean | undefined;
  /** UUIDs of spares that are to take no units from the first moment on, until `keepSpare`; others have no effect. */
  readonly leavingSpares?: readonly string[] | undefined;
  /** Sets that other processes serve: opening one of them is refused. Asked when a process to take over from has ended. */
  readonly servedSetIds?: (() => Promise<readonly string[]>) | undefined;
  /** Assemble although main device or spares do not match what is recorded. */
  readonly force?: boolean | undefined;
  /**
   * What requests do that need a device which is gone: `fail` at once, `hold` until it is back, or `hold:SECONDS` before
   * they fail. Meanwhile the device is looked for, also under other names.
   */
  readonly onGone?: string | undefined;
  /** How often all copies of the metadata are read, compared and repaired, in hours; 0: never. */
  readonly metadataScrubHours?: number | undefined;
  /** Settings that beat those kept on the spares, and what gives them (`--option`, a file), for messages. */
  readonly settings?:
    | Readonly<Partial<Record<SettingKey, { readonly value: SettingInput; readonly givenBy: string }>>>
    | undefined;
  /** A directory that gets the map as text whenever it has changed; it is made if it is not there. */
  readonly archive?: string | undefined;
  /** Serve it as a block device from the start; see `ProtectedDevice.ublk`. */
  readonly ublk?: UblkOptions | undefined;
  readonly onEvent?: ((event: DeviceNotice) => void) | undefined;
}

/** A protected device, open in this process. Every call may reject with `DmRemapError`. */
export interface ProtectedDevice {
  readonly info: DeviceInfo;
  /** Resolves when the device is closed; rejects if its thread crashed, which is a bug and ends all service. */
  readonly gone: Promise<void>;
  /** Offset and length are multiples of `info.logicalBlockBytes`; any length. */
  read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
  write(offsetBytes: number, data: Uint8Array, options?: { readonly durable?: boolean }): Promise<void>;
  flush(): Promise<void>;
  status(): Promise<DeviceStatus>;
  /** A part of the map: `limit` units at most (default 1000), from where the part before ended. */
  remaps(query?: RemapQuery): Promise<RemapPage>;
  /** Where the unit with this sector (512 bytes) of the main device lives, if it was moved. */
  remapAt(mainSector: number): Promise<RemapReport | undefined>;
  /** Moves the units with these sectors to a spare, with their data; `place` says where the first one goes. */
  moveByHand(range: SectorRange, place?: SparePlace): Promise<HandReport>;
  /** Brings the moved units with these sectors back to the main device, where it takes and gives their data. */
  giveBack(range: SectorRange): Promise<HandReport>;
  /** Moves some units from a spare to the others; nothing new is placed on it until `keepSpare` or the next start. */
  emptySpare(call: EmptySpareCall): Promise<EmptyReport>;
  keepSpare(spareIndex: number): Promise<void>;
  /** By spare index. */
  spareUse(): Promise<readonly SpareUse[]>;
  /** Puts some units together on the spares that are neighbours on the main device. */
  consolidate(call: ConsolidateCall): Promise<ConsolidationReport>;
  /**
   * Copies everything to another disk, which is lost, while the set is at work; what is written goes to both. When the
   * state is `copied`, `handOver` or `close` followed by `takeOver` makes it the main device. `copyId`: 16 random bytes, new for
   * each copying, or left out; with the same ones the next process goes on where this one ended, if the disk was not written
   * meanwhile. After the notice `evacuationPositionLost` they must not be used again.
   */
  evacuate(path: string, copyId?: Uint8Array): Promise<EvacuationReport>;
  /** Undefined: nothing was copied since the set was opened. */
  evacuation(): Promise<EvacuationReport | undefined>;
  /** The copying rests, and what is written goes to both all the same; `evacuate` with the same path goes on as well. */
  pauseEvacuation(): Promise<EvacuationReport | undefined>;
  resumeEvacuation(): Promise<EvacuationReport | undefined>;
  /**
   * The main device is gone, and not waited for any more: what was not copied is lost, block by block. Refused while it can be
   * read, and where the spares have no room to remember that.
   */
  acceptEvacuationLoss(): Promise<EvacuationReport>;
  /** Resolves when the disk is let go of. */
  cancelEvacuation(): Promise<EvacuationReport | undefined>;
  /**
   * Holds new requests, and resolves when those in flight have ended and, by itself, were flushed; false: it was so
   * already. A suspension ends with `resume`, with a hand-over and with the process.
   */
  suspend(options?: { readonly flush?: boolean }): Promise<boolean>;
  /** Lets held requests go; false: there was nothing to resume. */
  resume(): Promise<boolean>;
  /** What is in force, and why (docs/settings.md). */
  settings(): Promise<readonly SettingReport[]>;
  /** Keeps settings on the spares, all or none, and puts them in force; of `readSettingChanges`. */
  changeSettings(changes: SettingChanges): Promise<SettingsChanged>;
  /** Compares all copies of the metadata now, and repairs them. */
  scrubMetadata(): Promise<ScrubReport>;
  /** Starts to serve at an NBD URI; resolves when clients can connect. */
  serveNbd(uri: string, options?: ServeNbdOptions): Promise<NbdEndpoint>;
  /** The block device, where one was asked for. */
  readonly ublk: UblkEndpoint | undefined;
  /**
   * Ends in order without taking the block device away: its I/O waits until another process takes it over. The
   * process should end soon after: what the driver holds of it goes only then. Resolves with what `close` does.
   */
  handOver(): Promise<ClosedDevice>;
  /** Ends all endpoints, finishes what is in flight, writes the metadata as cleanly stopped, closes the devices. */
  close(): Promise<ClosedDevice>;
}

export interface ClosedDevice {
  /** The disk that the set was copied to holds all that it holds, durably. */
  readonly isEvacuated: boolean;
}

export interface RemapQuery {
  /** `nextSpareUnit` of the part before; default 0. */
  readonly firstSpareUnit?: number | undefined;
  readonly limit?: number | undefined;
  /** Only units with blocks that have no contents. */
  readonly onlyLost?: boolean | undefined;
}

/** A ublk block device (Linux 6.1, root). */
export interface UblkOptions {
  /** Hardware queues; default 1. */
  readonly queueCount?: number | undefined;
  /** Requests in flight per queue; default 128. */
  readonly depth?: number | undefined;
  /** Have a process that serves the set hand it over, instead of refusing. */
  readonly takeOver?: boolean | undefined;
}

export interface UblkEndpoint {
  /** `/dev/ublkbN`. */
  readonly path: string;
  readonly queueCount: number;
  readonly depth: number;
  /** Data goes between disks and clients without copies. */
  readonly isZeroCopy: boolean;
  /** It was there already, left by an earlier process. */
  readonly isRecovered: boolean;
  /** Resolves when the block device was stopped, by us or by somebody else. */
  readonly ended: Promise<void>;
  /** Who uses it, in words; empty when nobody does. */
  users(): string[];
  /** What the kernel has measured of it since it was added; undefined where it does not tell. */
  statistics(): BlockStatistics | undefined;
}

export interface ServeNbdOptions {
  /** Holds server-cert.pem, server-key.pem and optionally ca-cert.pem; needed for nbds URIs. */
  readonly tlsDirectory?: string | undefined;
  /** Only clients with a certificate signed by ca-cert.pem. */
  readonly verifyClients?: boolean | undefined;
}

export interface NbdEndpoint {
  /** With the real port where 0 was asked for. */
  readonly uri: string;
  stop(): Promise<void>;
}
