/** Buffers inside the shared `IoMemory`, named by memory offset. */
export interface BufferPool {
  /** Offset of a page-aligned buffer of at least `lengthBytes` (> 0), or -1 when there is none now. */
  allocate(lengthBytes: number): number;
  /** Takes back what `allocate` gave. */
  free(memoryOffset: number): void;
}
