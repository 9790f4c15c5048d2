/**
 * The one region of memory that all payload I/O of a device happens in. Buffers are named by their byte offset in
 * it ("memory offset"), so that the hot path passes numbers only. In production it is page-aligned memory from mmap
 * that the kernel may write to at any time; in tests and the simulator it is an ordinary ArrayBuffer.
 */
export interface IoMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Address of `bytes[0]`, page aligned; 0 where no kernel will see it. Below 2^48, hence exact. */
  readonly address: number;
}

export const PAGE_BYTES = 4096;

/** Memory that no kernel touches: for the memory store, tests and the simulator. */
export function plainMemory(sizeBytes: number): IoMemory {
  const buffer = new ArrayBuffer(sizeBytes);
  return { bytes: new Uint8Array(buffer), view: new DataView(buffer), address: 0 };
}

/**
 * Memory offsets from here on are no I/O memory: they name request buffers, pages of a client that the kernel has
 * registered with one thread's ring (ublk zero copy). We can have them read into and written from, but not look into
 * them.
 */
export const REQUEST_BUFFER_BASE = 2 ** 40;
/** Room for one request buffer; their numbers count from 0. */
export const REQUEST_BUFFER_BYTES = 2 ** 25;

export function isRequestBuffer(memoryOffset: number): boolean {
  return memoryOffset >= REQUEST_BUFFER_BASE;
}
