import type { CounterName } from '../engine/counters.js';
import type { ServedGeometry } from '../ports/served-device.js';

export type { ScrubReport } from '../device/metadata-scrub.js';

/** Something worth a line in the log. */
export interface DeviceNotice {
  readonly level: 'info' | 'warn' | 'error';
  /** Stable name, e.g. `remapped`, `lost`, `breakerOpened`, `spareExhausted`, `backendChosen`, `repaired`. */
  readonly event: string;
  /** One line for a person. */
  readonly message: string;
  /** The numbers of it: sectors, units, errno names. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** A disk of the set as it was opened. */
export interface MemberInfo {
  readonly path: string;
  readonly sizeBytes: number;
  /** '' where it has none, like the two below. */
  readonly model: string;
  readonly serial: string;
  readonly wwn: string;
}

export interface SpareInfo extends MemberInfo {
  readonly uuid: string;
}

export interface DeviceInfo {
  readonly setId: string;
  readonly name: string;
  readonly main: MemberInfo;
  /** By spare index. */
  readonly spares: readonly SpareInfo[];
  readonly sizeBytes: number;
  readonly logicalBlockBytes: number;
  readonly unitBytes: number;
  readonly io: 'uring' | 'portable';
  readonly geometry: ServedGeometry;
  /** Where the memory of ublk tags begins in the I/O memory. */
  readonly ublkMemoryOffset: number;
}

export interface DeviceStatus {
  readonly remappedUnits: number;
  readonly unitsWithLostBlocks: number;
  readonly retiredSpareUnits: number;
  readonly freeSpareUnits: number;
  readonly usableSpareUnits: number;
  /** Why the main device was given up, or null. */
  readonly breakerOpen: string | null;
  /** By what the main device would be known again if it vanished and came back under another name. */
  readonly recognisedBy: 'serialNumber' | 'contents' | 'nothing';
  /** What requests do that need a device which is gone: `fail`, `hold` or `hold:SECONDS`. */
  readonly onGone: string;
  /** Devices that do not answer now. */
  readonly gone: readonly GoneReport[];
  readonly connections: number;
  readonly counters: Readonly<Record<CounterName, number>>;
}

export interface GoneReport {
  /** As it was opened. */
  readonly path: string;
  /** Null for the main device. */
  readonly spareIndex: number | null;
  readonly reason: string;
  /** Seconds since 1970. */
  readonly sinceSeconds: number;
  readonly heldRequests: number;
  /** False: they fail, by policy, because it has been gone for too long, or because of a stop. */
  readonly requestsWait: boolean;
}
