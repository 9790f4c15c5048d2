import type { SocketAddress } from '../kernel/socket-address.js';
import type { SettingChanges } from '../settings/setting-changes.js';
import type { SettingKey } from '../settings/setting-table.js';
import type { GivenSettings, SettingReport } from '../settings/settings-in-force.js';
import type { ConsolidateCall, ConsolidationReport } from './consolidate.js';
import type { DeviceInfo, DeviceNotice, DeviceStatus, ScrubReport } from './device-report.js';
import type { EmptyReport, EmptySpareCall } from './empty-spare.js';
import type { EvacuationReport } from './evacuation-calls.js';
import type { Failure } from './failure.js';
import type { SectorRange, SparePlace } from './hand-calls.js';
import type { HandReport } from './hand-turns.js';
import type { RemapPage } from './list-remaps.js';
import type { MapSnapshot } from './map-changes.js';
import type { QueueShare } from './queue-share.js';
import type { RemapReport } from './remap-report.js';
import type { SpareUse } from './spare-use.js';
import type { UblkQueueJob } from './ublk-queue-server.js';

/** What the thread of a device is started with. */
export interface ThreadOptions {
  readonly main: string;
  readonly spares: readonly string[];
  readonly io: 'uring' | 'portable' | undefined;
  readonly faults: string | undefined;
  readonly force: boolean;
  /** UUIDs of spares that take no units from the start, as if they were being emptied. */
  readonly leavingSpares?: readonly string[] | undefined;
  /** Sets that other processes serve: not opened a second time. */
  readonly servedSetIds?: readonly string[] | undefined;
  /** These beat what is kept on the spare. */
  readonly given: GivenSettings;
  /** How long to wait for devices that are held by a process that is just ending. */
  readonly openPatienceMs: number;
  /** I/O memory for the tags of ublk queues; 0 where none is served. */
  readonly ublkMemoryBytes: number;
  /** An eventfd of the main thread: written to after each message, for a thread that sits in the kernel. */
  readonly wakeUpFd: number;
}

/** What the thread of a further queue is started with. */
export interface QueueThreadOptions {
  readonly share: QueueShare;
  readonly wakeUpFd: number;
}

/** To the thread of a device: one call, answered by an `answer` with the same id. */
export interface CallMessage {
  readonly id: number;
  readonly call: Call;
}

export type Call =
  /** Any length, whole logical blocks. Answers the bytes. */
  | { readonly verb: 'read'; readonly offsetBytes: number; readonly lengthBytes: number }
  | {
      readonly verb: 'write';
      readonly offsetBytes: number;
      readonly data: Uint8Array;
      readonly durable: boolean;
    }
  | { readonly verb: 'flush' }
  /** Answers `DeviceStatus`. */
  | { readonly verb: 'status' }
  /** Answers `RemapPage`. */
  | {
      readonly verb: 'remaps';
      readonly firstSpareUnit: number;
      readonly limit: number;
      readonly onlyLost: boolean;
    }
  /** What `remaps` would tell of the unit with this sector. Answers `RemapReport`, or nothing where it was not moved. */
  | { readonly verb: 'remapAt'; readonly mainSector: number }
  /**
   * Moves the units with these sectors to a spare by hand, one after the other; `spareSector` of spare `spareIndex` is where
   * the first one goes, the others behind it; undefined: anywhere. Answers `HandReport`.
   */
  | {
      readonly verb: 'moveByHand';
      readonly range: SectorRange;
      readonly place: SparePlace | undefined;
    }
  /** Brings the moved units with these sectors back to the main device, where it takes them. Answers `HandReport`. */
  | { readonly verb: 'giveBack'; readonly range: SectorRange }
  /** Moves some units from a spare to the others. Answers `EmptyReport`. */
  | ({ readonly verb: 'emptySpare' } & EmptySpareCall)
  /** Answers `SpareUse` by spare index. */
  | { readonly verb: 'spareUse' }
  /** The opposite: the spare takes new units again. */
  | { readonly verb: 'keepSpare'; readonly spareIndex: number }
  /** Begins to fill the disk that is to become the main device, or goes on with it. Answers `EvacuationReport`. */
  | { readonly verb: 'evacuate'; readonly path: string; readonly copyId: Uint8Array }
  /** Answers `EvacuationReport`, or null where nothing was copied since the set was opened. */
  | { readonly verb: 'evacuation' }
  /** The copying rests, or goes on. Answers `EvacuationReport`, or null. */
  | { readonly verb: 'pauseEvacuation' | 'resumeEvacuation' }
  /** The copying does not wait for a main device that is gone. Answers `EvacuationReport`. */
  | { readonly verb: 'acceptEvacuationLoss' }
  /** Answers `EvacuationReport` when the disk is let go of. */
  | { readonly verb: 'cancelEvacuation' }
  /** Puts some neighbours together on the spares. Answers `ConsolidationReport`. */
  | ({ readonly verb: 'consolidate' } & ConsolidateCall)
  /** Compares all copies of the metadata; answers `ScrubReport` when that is done. */
  | { readonly verb: 'scrubMetadata' }
  /** Answers `SettingReport`s. */
  | { readonly verb: 'settings' }
  /** Keeps settings on the spares, and puts them in force. Answers `SettingsChanged`. */
  | { readonly verb: 'changeSettings'; readonly changes: SettingChanges }
  /** Holds new requests; answers whether it changed anything when those in flight have ended, and were flushed. */
  | { readonly verb: 'suspend'; readonly flush: boolean }
  /** Lets held requests go; answers whether it changed anything. */
  | { readonly verb: 'resume' }
  /** Answers `MapSnapshot`; changes follow as messages. */
  | { readonly verb: 'watchMap' }
  /** Accepts NBD clients. Answers `Listening`. */
  | { readonly verb: 'listen'; readonly address: SocketAddress; readonly exportName: string }
  | { readonly verb: 'unlisten'; readonly listenerId: number }
  /** Serves NBD on a socket that is connected already; the descriptor becomes the thread's. */
  | { readonly verb: 'adopt'; readonly fd: number; readonly exportName: string }
  /** Prepares for one more thread that serves the device. Answers `AddedQueue`. */
  | { readonly verb: 'addQueue'; readonly wakeUpFd: number }
  /** That thread has ended. */
  | { readonly verb: 'removeQueue'; readonly queueId: number }
  /** Serves a queue of a ublk device; answers when its requests were asked for. */
  | { readonly verb: 'ublkServe'; readonly job: UblkQueueJob }
  /** Answers when the block device was stopped, by whomever. */
  | { readonly verb: 'ublkEnded' }
  /** Leaves the block device to another process; answers when what was begun is answered. */
  | { readonly verb: 'ublkRelease' }
  /** Before a hand-over: units are moved, or given back, by hand only so far. */
  | { readonly verb: 'endHandWork' }
  /** Before a stop: that, and requests that wait for a device that is gone fail. */
  | { readonly verb: 'endHolding' }
  /** The last call: the thread ends after its answer, `ClosedReport`. */
  | { readonly verb: 'close' }
  /** The process is about to end: the thread stops where it is, as if killed, and answers nothing. */
  | { readonly verb: 'abandon' };

export interface SettingsChanged {
  /** Those whose kept value is another one now. */
  readonly changed: readonly SettingKey[];
  readonly settings: readonly SettingReport[];
}

export interface ClosedReport {
  /** It was stopped, but not cleanly. */
  readonly problem: Failure | undefined;
  /** Flushes of the device's disks that failed while it was open. */
  readonly flushFailureCount: number;
  /** A replacement of the main device holds all that the set holds, durably, and may take over. */
  readonly isSealed: boolean;
}

export interface Listening {
  readonly listenerId: number;
  readonly address: SocketAddress;
}

export interface AddedQueue {
  readonly queueId: number;
  readonly share: QueueShare;
}

/** What a call is answered with; nothing for most. */
export type CallValue =
  | Uint8Array
  | DeviceStatus
  | RemapPage
  | RemapReport
  | ScrubReport
  | HandReport
  | ConsolidationReport
  | EmptyReport
  | EvacuationReport
  | null
  | Listening
  | AddedQueue
  | MapSnapshot
  | readonly SettingReport[]
  | readonly SpareUse[]
  | SettingsChanged
  | ClosedReport
  | boolean
  | undefined;

/** From the thread of a device. */
export type ThreadMessage =
  /** A thread of a queue has nothing to tell of itself. */
  | { readonly kind: 'opened'; readonly info: DeviceInfo | undefined }
  /** The thread ends after it. */
  | { readonly kind: 'openFailed'; readonly failure: Failure }
  | { readonly kind: 'notice'; readonly notice: DeviceNotice }
  /** Packed as by `packEntries`. */
  | { readonly kind: 'mapChanged'; readonly generation: number; readonly entries: Float64Array }
  | { readonly kind: 'answer'; readonly id: number; readonly value: CallValue }
  | { readonly kind: 'refusal'; readonly id: number; readonly failure: Failure };
