/**
 * One connected socket, as a protocol sees it: at most one receive and one send outstanding, both into and out of
 * `IoMemory`. Implementations: io_uring sockets, node:net sockets.
 */
export interface ByteStream {
  /** Must be called once, before anything else. */
  attach(sink: ByteStreamSink): void;
  /** Takes what is there, 1 to `lengthBytes` bytes; answered by `received`. */
  receive(memoryOffset: number, lengthBytes: number): void;
  /** Sends all segments in order; answered by `sent` when all bytes are out. `segments` belongs to the stream till then. */
  send(segments: SegmentList): void;
  /** Ends both directions. Outstanding calls are still answered (with an error), then `closed`. Idempotent. */
  close(): void;
}

/** Never called inside the stream's own methods. */
export interface ByteStreamSink {
  /** Bytes received (> 0), 0 at end of stream, or a negative errno. */
  received(result: number): void;
  /** 0 when every byte went out, or a negative errno. */
  sent(result: number): void;
  /** Last call: the stream touches no memory any more. */
  closed(): void;
}

/** Slices of `IoMemory` to be sent one behind another, filled and cleared without allocation. */
export class SegmentList {
  readonly capacity: number;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  count = 0;
  totalBytes = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.offsets = new Uint32Array(capacity);
    this.lengths = new Uint32Array(capacity);
  }

  push(memoryOffset: number, lengthBytes: number): void {
    this.offsets[this.count] = memoryOffset;
    this.lengths[this.count] = lengthBytes;
    this.count += 1;
    this.totalBytes += lengthBytes;
  }

  clear(): void {
    this.count = 0;
    this.totalBytes = 0;
  }
}
