import type { BlockStore } from '../../src/ports/block-store.js';
import type { IoMemory } from '../../src/ports/io-memory.js';

/** A store with what the suite needs around it. It has to start out as zeroes. */
export interface StoreUnderTest {
  readonly store: BlockStore;
  /** The I/O memory the store was made with, at least `MEMORY_BYTES_MIN`. */
  readonly memory: IoMemory;
  /** Lets completions arrive till `done()` is true; rejects when they fail to. */
  readonly runUntil: (done: () => boolean) => Promise<void>;
  /** Shortens the file under the store; left out where there is none. */
  readonly truncate?: (sizeBytes: number) => void;
  /** Called last, with no I/O in flight: closes the store and gives everything back. */
  readonly dispose: () => Promise<void> | void;
}

/** What a store handed to the suite must have at least. */
export const STORE_BYTES_MIN = 2 << 20;
export const MEMORY_BYTES_MIN = 2 << 20;
export const TICKET_COUNT_MIN = 64;
