import type { CounterName } from '../engine/counters.js';
import type { ServedGeometry } from '../ports/served-device.js';
import type { SettingValues } from '../settings/setting-table.js';
import type { SpareForecast } from './remap-pace.js';
import type { SpareTakingNone } from './spares-taking-none.js';

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
  /** That units may still move to: no more than `max_remaps` leaves. */
  readonly freeSpareUnits: number;
  /** That may live on spares in all: no more than `max_remaps`. */
  readonly usableSpareUnits: number;
  /** `max_remaps` alone keeps more units from moving: there would be places. */
  readonly remapLimitReached: boolean;
  /** When the spares are full if it goes on so; null: nobody can tell. */
  readonly sparesFull: SpareForecast | null;
  /** Of the main device. */
  readonly mainUnits: number;
  /** In force. */
  readonly settings: SettingValues;
  /** Why the main device was given up, or null. */
  readonly breakerOpen: string | null;
  /** By what the main device would be known again if it vanished and came back under another name. */
  readonly recognisedBy: 'serialNumber' | 'contents' | 'nothing';
  /** What requests do that need a device which is gone: `fail`, `hold` or `hold:SECONDS`. */
  readonly onGone: string;
  /** Devices that do not answer now. */
  readonly gone: readonly GoneReport[];
  /** Spares that are being emptied, or are empty: no units are placed on them, nor are they part of the room above. */
  readonly emptying: readonly EmptyingReport[];
  /** Spares that no unit can be moved to, beside those. */
  readonly takingNone: readonly TakingNoneReport[];
  readonly connections: number;
  /** Held on request: nothing is in flight, new requests wait. */
  readonly suspended: boolean;
  readonly counters: Readonly<Record<CounterName, number>>;
}

/** A spare whose units move to the others. */
export interface EmptyingReport {
  /** As it was opened. */
  readonly path: string;
  readonly spareIndex: number;
  /** Since it began. */
  readonly movedUnits: number;
  /** That live on it still. */
  readonly leftUnits: number;
}

export interface TakingNoneReport extends SpareTakingNone {
  /** As it was opened. */
  readonly path: string;
}

export interface GoneReport {
  /** As it was opened. */
  readonly path: string;
  /** Null for the main device. */
  readonly spareIndex: number | null;
  readonly reason: string;
  /** Seconds since 1970. */
  readonly sinceSeconds: number;
  /** The main device takes no writes, and gives what it holds. */
  readonly readsPass: boolean;
  readonly heldRequests: number;
  /** False: they fail, by policy, because it has been gone for too long, or because of a stop. */
  readonly requestsWait: boolean;
}
