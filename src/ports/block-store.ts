/**
 * A device or file that blocks are stored on. The hot path calls it with plain numbers and gets completions by
 * ticket: no object, closure or Promise per I/O.
 *
 * Contract of every implementation (held by test/conformance/block-store.test.ts):
 * - offsets and lengths are multiples of the logical block and inside the device; memory offsets are multiples of
 *   `memoryAlignmentBytes`. Anything else is a bug of the caller and asserted.
 * - `complete` is called exactly once per submitted ticket and never inside the submitting call.
 * - Transfers are whole: `result` is `lengthBytes` (0 for flush, discard, writeZeroes) or a negative errno. Short
 *   transfers are continued inside; reading 0 bytes inside the known size means the device is gone (-ENODEV).
 * - After an error of a multi-block I/O nothing is known about any of its blocks.
 */
export interface BlockStore {
  readonly geometry: Geometry;
  /** For messages: path, and what else identifies it to a person. */
  readonly description: string;
  /** `read` and `write` take request buffers of this thread's ring (`io-memory.ts`). */
  readonly takesRequestBuffers?: boolean;
  /** Must be called once, before the first I/O. */
  attach(sink: CompletionSink): void;
  read(ticket: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): void;
  /** `durable`: on stable storage before it completes (FUA). */
  write(
    ticket: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): void;
  /** Every write that completed before this call is on stable storage when it completes with 0. */
  flush(ticket: number): void;
  /** A hint; contents undefined afterwards. -EOPNOTSUPP when it can't. */
  discard(ticket: number, offsetBytes: number, lengthBytes: number): void;
  /** Reads back as zeroes. `mayUnmap`: the space may be given up. -EOPNOTSUPP when it can't do so cheaply. */
  writeZeroes(ticket: number, offsetBytes: number, lengthBytes: number, mayUnmap: boolean): void;
  /**
   * Bytes from `offsetBytes` (at most `lengthBytes`) that are alike: positive = allocated data, negative = a hole
   * that reads as zeroes. Where a store can't tell, everything is data.
   */
  allocatedRun(offsetBytes: number, lengthBytes: number): number;
  /** Gives up the device and its locks. No I/O may be in flight. */
  close(): void;
}

export interface CompletionSink {
  /** `result`: bytes done (>= 0) or a negative errno. */
  complete(ticket: number, result: number): void;
}

/** Facts about a device; the block layer's queue limits for a block device, chosen values for a file. */
export interface Geometry {
  readonly sizeBytes: number;
  /** Smallest I/O: 512 or 4096. */
  readonly logicalBlockBytes: number;
  /** What the medium writes at once. */
  readonly physicalBlockBytes: number;
  /** What memory offsets must be a multiple of (1 where anything goes). */
  readonly memoryAlignmentBytes: number;
  readonly rotational: boolean;
  readonly readOnly: boolean;
  readonly queue: QueueLimits;
  /** Model, serial, WWN where the device has them; '' where not (a file). */
  readonly identity: DeviceIdentity;
}

/** What a block device above should say of itself to be used well (/sys/block/X/queue); chosen values for a file. */
export interface QueueLimits {
  /** A completed write is durable only after a flush, or with FUA. */
  readonly volatileCache: boolean;
  /** A write can be made durable by itself: the device takes FUA, and nothing else is flushed for it. */
  readonly nativeFua: boolean;
  /** What can be discarded at once; 0 where discard is not possible. */
  readonly discardGranularityBytes: number;
  /** Zeroes can be written without sending them. */
  readonly canWriteZeroes: boolean;
  /** Preferred smallest I/O (a RAID chunk, a zone), at least the physical block. */
  readonly minimumIoBytes: number;
  /** Preferred I/O for streams (a RAID stripe); 0 where the device has no wish. */
  readonly optimalIoBytes: number;
  /** Longest request that goes down whole. */
  readonly maxTransferBytes: number;
}

/** A device without wishes: memory. */
export const PLAIN_QUEUE: QueueLimits = {
  volatileCache: true,
  nativeFua: true,
  discardGranularityBytes: 4096,
  canWriteZeroes: true,
  minimumIoBytes: 4096,
  optimalIoBytes: 0,
  maxTransferBytes: 1 << 20,
};

export interface DeviceIdentity {
  readonly model: string;
  readonly serial: string;
  readonly wwn: string;
}

export const NO_IDENTITY: DeviceIdentity = { model: '', serial: '', wwn: '' };
