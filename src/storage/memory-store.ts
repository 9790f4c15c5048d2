import { assert } from '../base/assert.js';
import { SECTOR_BYTES } from '../base/units.js';
import type { BlockStore, CompletionSink, DeviceIdentity, Geometry } from '../ports/block-store.js';
import { NO_IDENTITY, PLAIN_QUEUE } from '../ports/block-store.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { Scheduler } from '../ports/scheduler.js';
import { assertBuffer, assertRange } from './assert-io.js';
import { CompletionQueue } from './completion-queue.js';

/**
 * A device in memory. Data moves inside the submitting call, completions come from the scheduler; there is no
 * volatile cache: what completed is as durable as it gets. Everything counts as allocated data.
 */
export class MemoryStore implements BlockStore {
  readonly geometry: Geometry;
  readonly description: string;
  /** The medium itself: tests look at it and damage it. */
  readonly contents: Uint8Array;
  readonly #memory: IoMemory;
  readonly #queue: CompletionQueue;
  #closed = false;

  constructor(options: MemoryStoreOptions) {
    const logicalBlockBytes = options.logicalBlockBytes ?? SECTOR_BYTES;
    assert(options.sizeBytes % logicalBlockBytes === 0, 'a device is whole logical blocks');
    this.geometry = {
      sizeBytes: options.sizeBytes,
      logicalBlockBytes,
      physicalBlockBytes: Math.max(logicalBlockBytes, 4096),
      memoryAlignmentBytes: options.memoryAlignmentBytes ?? logicalBlockBytes,
      rotational: false,
      readOnly: options.readOnly ?? false,
      queue: { ...PLAIN_QUEUE, nativeFua: options.nativeFua ?? true },
      identity: options.identity ?? NO_IDENTITY,
    };
    this.description = options.description ?? 'memory';
    this.contents = options.contents ?? new Uint8Array(options.sizeBytes);
    assert(this.contents.length === options.sizeBytes, 'the contents are the whole device');
    this.#memory = options.memory;
    this.#queue = new CompletionQueue(options.scheduler);
  }

  attach(sink: CompletionSink): void {
    this.#queue.attach(sink);
  }

  read(ticket: number, offsetBytes: number, lengthBytes: number, memoryOffset: number): void {
    this.#assertRange(offsetBytes, lengthBytes);
    assertBuffer(this.geometry, this.#memory, memoryOffset, lengthBytes);
    this.#memory.bytes.set(this.contents.subarray(offsetBytes, offsetBytes + lengthBytes), memoryOffset);
    this.#queue.push(ticket, lengthBytes);
  }

  write(
    ticket: number,
    offsetBytes: number,
    lengthBytes: number,
    memoryOffset: number,
    _durable: boolean,
  ): void {
    this.#assertRange(offsetBytes, lengthBytes);
    assertBuffer(this.geometry, this.#memory, memoryOffset, lengthBytes);
    this.contents.set(this.#memory.bytes.subarray(memoryOffset, memoryOffset + lengthBytes), offsetBytes);
    this.#queue.push(ticket, lengthBytes);
  }

  flush(ticket: number): void {
    assert(!this.#closed, 'I/O on a closed store');
    this.#queue.push(ticket, 0);
  }

  /** Leaves a pattern that is neither the old data nor zeroes: contents are undefined, and nobody may count on more. */
  discard(ticket: number, offsetBytes: number, lengthBytes: number): void {
    this.#assertRange(offsetBytes, lengthBytes);
    this.contents.fill(DISCARDED_BYTE, offsetBytes, offsetBytes + lengthBytes);
    this.#queue.push(ticket, 0);
  }

  writeZeroes(ticket: number, offsetBytes: number, lengthBytes: number, _mayUnmap: boolean): void {
    this.#assertRange(offsetBytes, lengthBytes);
    this.contents.fill(0, offsetBytes, offsetBytes + lengthBytes);
    this.#queue.push(ticket, 0);
  }

  allocatedRun(offsetBytes: number, lengthBytes: number): number {
    this.#assertRange(offsetBytes, lengthBytes);
    return lengthBytes;
  }

  close(): void {
    assert(this.#queue.isEmpty, 'a store is closed with no I/O in flight');
    this.#closed = true;
  }

  #assertRange(offsetBytes: number, lengthBytes: number): void {
    assert(!this.#closed, 'I/O on a closed store');
    assertRange(this.geometry, offsetBytes, lengthBytes);
  }
}

export interface MemoryStoreOptions {
  /** Default: true. */
  readonly nativeFua?: boolean;
  readonly sizeBytes: number;
  readonly memory: IoMemory;
  readonly scheduler: Scheduler;
  /** Default 512. */
  readonly logicalBlockBytes?: number;
  /** Default: as the logical block, like a device opened with O_DIRECT. */
  readonly memoryAlignmentBytes?: number;
  /** What it says of itself. */
  readonly readOnly?: boolean;
  readonly identity?: DeviceIdentity;
  readonly description?: string;
  /** The medium, where it exists already: the same disk under another name. */
  readonly contents?: Uint8Array;
}

const DISCARDED_BYTE = 0xd5;
