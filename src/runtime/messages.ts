import type { GonePolicy } from '../device/gone-policy.js';
import type { SocketAddress } from '../kernel/socket-address.js';
import type { DeviceInfo, DeviceNotice, DeviceStatus, ScrubReport } from './device-report.js';
import type { Failure } from './failure.js';
import type { HandReport, SectorRange, SparePlace } from './hand-calls.js';
import type { RemapPage } from './list-remaps.js';
import type { MapSnapshot } from './map-changes.js';
import type { QueueShare } from './queue-share.js';
import type { RemapReport } from './remap-report.js';
import type { UblkQueueJob } from './ublk-queue-server.js';

/** What the thread of a device is started with. */
export interface ThreadOptions {
  readonly main: string;
  readonly spares: readonly string[];
  readonly io: 'uring' | 'portable' | undefined;
  readonly faults: string | undefined;
  readonly onLost: 'error' | 'zero';
  readonly force: boolean;
  readonly onGone: GonePolicy;
  /** How often all copies of the metadata are compared; 0: never. */
  readonly metadataScrubMs: number;
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
  /** Compares all copies of the metadata; answers `ScrubReport` when that is done. */
  | { readonly verb: 'scrubMetadata' }
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
  /** Before a stop: requests that wait for a device that is gone fail. */
  | { readonly verb: 'endHolding' }
  /** The last call: the thread ends after its answer. */
  | { readonly verb: 'close' }
  /** The process is about to end: the thread stops where it is, as if killed, and answers nothing. */
  | { readonly verb: 'abandon' };

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
  | Listening
  | AddedQueue
  | MapSnapshot
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
