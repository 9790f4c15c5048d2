import type { QueueLimits } from './block-store.js';

/**
 * The protected device as a frontend (NBD, ublk, library) sees it. Requests live in numbered slots; the frontend
 * keeps what it needs to answer in arrays of its own, indexed by slot.
 *
 * A frontend acquires a slot, starts exactly one operation on it, and gets exactly one `completed` for it, never
 * inside the starting call. The slot is free again when `completed` returns, unless that call started the next
 * operation on it.
 */
export interface ServedDevice {
  readonly geometry: ServedGeometry;
  /** Number of slots; slot numbers are below it. */
  readonly slotCount: number;
  /** Flushes of disks below that failed so far, for requests or for the device's own needs (`flush-history.ts`). */
  readonly flushFailureCount: number;
  /** A free slot whose completions go to `sink`, or -1 when all are taken: try again after a completion. */
  acquire(sink: RequestSink): number;
  /** Gives a slot back that no operation was started on. */
  release(slot: number): void;
  /**
   * Reads up to `maxTransferBytes`, block aligned, into memory aligned to `geometry.memoryAlignmentBytes`.
   * Completes with EIO if any block of it is lost. True: it went out as one I/O, and the client may be answered as soon
   * as that has succeeded in full, even before `completed`; `hasFailed` tells then whether it had.
   */
  read(slot: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): boolean;
  /** Writes; the memory must stay untouched until completion. `durable`: FUA. Answers as `read` does. */
  write(
    slot: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    durable: boolean,
  ): boolean;
  /** In `completed`: an I/O of the request had failed, whatever was made of it. */
  hasFailed(slot: number): boolean;
  /** All writes completed before are durable afterwards, on the main device and every spare. */
  flush(slot: number): void;
  /** Any length, block aligned. A hint: may do less. */
  discard(slot: number, offsetBytes: number, lengthBytes: number): void;
  /** Any length, block aligned. `fastOnly`: EOPNOTSUPP at once unless quicker than writing zeroes. */
  writeZeroes(slot: number, offsetBytes: number, lengthBytes: number, flags: WriteZeroesFlags): void;
  /**
   * What the blocks from `offsetBytes` are (at most `lengthBytes` of them, all alike): the state goes to `run.state`
   * (`RunState` bits), the length to `run.lengthBytes`. Answers at once, from memory and the file's own map.
   */
  describeRun(offsetBytes: number, lengthBytes: number, run: StateRun): void;
}

export interface ServedGeometry {
  readonly sizeBytes: number;
  readonly logicalBlockBytes: number;
  /** Unit of relocation; I/O of this size and alignment is cheapest. */
  readonly preferredBlockBytes: number;
  readonly memoryAlignmentBytes: number;
  /** `read` and `write` take request buffers (`io-memory.ts`); one may be answered with `NEEDS_MEMORY`. */
  readonly takesRequestBuffers: boolean;
  readonly physicalBlockBytes: number;
  readonly rotational: boolean;
  readonly readOnly: boolean;
  /** The main device's, but `volatileCache` if any disk of the set has one. */
  readonly queue: QueueLimits;
}

export interface RequestSink {
  /** `errno`: 0, a positive errno, or `NEEDS_MEMORY`. */
  completed(slot: number, errno: number): void;
}

/**
 * The answer to a transfer with a request buffer whose data has to be looked into (an error, a lost block): nothing was
 * decided; do it again with I/O memory.
 */
export const NEEDS_MEMORY = 0xffff;

/** Bits for `writeZeroes`. */
export const WriteZeroesFlag = { none: 0, durable: 1, mayUnmap: 2, fastOnly: 4 } as const;
export type WriteZeroesFlags = number;

/** Bits of `StateRun.state`. */
export const RunState = { remapped: 1, lost: 2, hole: 4 } as const;

export interface StateRun {
  lengthBytes: number;
  state: number;
}

/** Largest single read or write; frontends cut longer requests. */
export const MAX_TRANSFER_BYTES = 1 << 20;
