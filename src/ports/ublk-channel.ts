/**
 * One hardware queue of a ublk device: requests come in under tags, are answered by tag, and each tag's next request
 * comes with its answer. Implementations: the driver's URING_CMDs on a ring; an array in tests.
 */
export interface UblkChannel {
  /** Tags are below it. */
  readonly depth: number;
  /**
   * struct ublksrv_io_desc of every tag, as 32-bit words; the driver writes a tag's words before `arrived` and leaves
   * them alone until `commit`.
   */
  readonly descriptors: Uint32Array;
  /** Must be called once, before anything else. */
  attach(sink: UblkChannelSink): void;
  /** First request of a tag. `memoryOffset`: of its data, room for the longest request. */
  fetch(tag: number, memoryOffset: number): void;
  /** Answers a tag's request (bytes done, 0 for what moves no data, or a negative errno) and asks for the next. */
  commit(tag: number, result: number, memoryOffset: number): void;
}

/** Never called inside the channel's own methods. */
export interface UblkChannelSink {
  /** `result` 0: a request is there, write data in memory. Negative: the tag is over (-ENODEV: the device stops). */
  arrived(tag: number, result: number): void;
}
