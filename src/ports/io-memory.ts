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
