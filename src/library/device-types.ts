import type { DeviceInfo, DeviceNotice, DeviceStatus, ScrubReport } from '../runtime/device-report.js';
import type { HandReport, SectorRange, SparePlace } from '../runtime/hand-calls.js';
import type { RemapPage } from '../runtime/list-remaps.js';
import type { RemapReport } from '../runtime/remap-report.js';

export type {
  DeviceInfo,
  DeviceNotice,
  DeviceStatus,
  GoneReport,
  MemberInfo,
  ScrubReport,
  SpareInfo,
} from '../runtime/device-report.js';
export type { HandRefusal, HandReport, SectorRange, SparePlace } from '../runtime/hand-calls.js';
export type { RemapPage } from '../runtime/list-remaps.js';
export type { RemapReport } from '../runtime/remap-report.js';

/** What `openDevice` takes. Paths name block devices or image files. */
export interface OpenDeviceOptions {
  readonly main: string;
  /** In any order; all spares of the set must be given. */
  readonly spares: readonly string[];
  /** Default: io_uring where the kernel permits it, else plain file I/O. */
  readonly io?: 'uring' | 'portable' | undefined;
  /** Path of a fault scenario (docs/fault-scenarios.md). */
  readonly faults?: string | undefined;
  /** What reading a lost block gives; default `error`. */
  readonly onLost?: 'error' | 'zero' | undefined;
  /** Format the spares first if they are blank. */
  readonly init?: boolean | undefined;
  /** Assemble although main device or spares do not match what is recorded. */
  readonly force?: boolean | undefined;
  /**
   * What requests do that need a device which is gone: `fail` at once, `hold` until it is back, or `hold:SECONDS` before
   * they fail (default `hold:30`). Meanwhile the device is looked for, also under other names.
   */
  readonly onGone?: string | undefined;
  /** How often all copies of the metadata are read, compared and repaired, in hours; 0: never. Default 168, a week. */
  readonly metadataScrubHours?: number | undefined;
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
  /** Compares all copies of the metadata now, and repairs them. */
  scrubMetadata(): Promise<ScrubReport>;
  /** Starts to serve at an NBD URI; resolves when clients can connect. */
  serveNbd(uri: string, options?: ServeNbdOptions): Promise<NbdEndpoint>;
  /** The block device, where one was asked for. */
  readonly ublk: UblkEndpoint | undefined;
  /**
   * Ends in order without taking the block device away: its I/O waits until another process takes it over. The
   * process should end soon after: what the driver holds of it goes only then.
   */
  handOver(): Promise<void>;
  /** Ends all endpoints, finishes what is in flight, writes the metadata as cleanly stopped, closes the devices. */
  close(): Promise<void>;
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
