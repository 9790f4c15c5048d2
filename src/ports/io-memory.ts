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
 * Negative memory offsets are no I/O memory: they name places in request buffers, pages of a client that the kernel has
 * registered with one thread's ring (ublk zero copy). We can have them read into and written from, but not look into
 * them. All fit 32 bits, because larger numbers would be objects on the heap. `number`: 0 to 4095.
 */
export function requestBufferOffset(number: number): number {
  return FIRST_REQUEST_BUFFER | (number << REQUEST_BUFFER_SHIFT);
}

export function isRequestBuffer(memoryOffset: number): boolean {
  return memoryOffset < 0;
}

export function requestBufferNumber(memoryOffset: number): number {
  return (memoryOffset & ~FIRST_REQUEST_BUFFER) >> REQUEST_BUFFER_SHIFT;
}

export function placeInRequestBuffer(memoryOffset: number): number {
  return memoryOffset & (REQUEST_BUFFER_BYTES - 1);
}

const FIRST_REQUEST_BUFFER = -(2 ** 31);
const REQUEST_BUFFER_SHIFT = 19;
/** Room in one. */
export const REQUEST_BUFFER_BYTES = 1 << REQUEST_BUFFER_SHIFT;
