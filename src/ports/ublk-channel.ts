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
  /**
   * Requests come with their data in request buffer number `tag` (`io-memory.ts`) instead of in memory. The memory of
   * `fetch` and `commit` is not used; `copyIn` and `copyOut` reach the data.
   */
  readonly isZeroCopy: boolean;
  /** Must be called once, before anything else. */
  attach(sink: UblkChannelSink): void;
  /** First request of a tag. `memoryOffset`: of its data, room for the longest request. */
  fetch(tag: number, memoryOffset: number): void;
  /** Answers a tag's request (bytes done, 0 for what moves no data, or a negative errno) and asks for the next. */
  commit(tag: number, result: number, memoryOffset: number): void;
  /** I/O that was queued on this thread so far: a mark for `commitAfter`. */
  readonly queuedTotal: number;
  /**
   * As `commit`, once the one I/O that was queued since the mark has succeeded in full. If it hasn't, `arrived` says
   * ECANCELED for the tag, or EINVAL if it could not be waited for, and nothing was committed. False: nothing was done.
   */
  commitAfter(queuedBefore: number, tag: number, result: number, memoryOffset: number): boolean;
  /** Copies the data of a write into memory; answered by `copied`. Zero copy only. */
  copyIn(tag: number, lengthBytes: number, memoryOffset: number): void;
  /** Copies memory to where a read wants its data; answered by `copied`. Zero copy only. */
  copyOut(tag: number, lengthBytes: number, memoryOffset: number): void;
}

/** Never called inside the channel's own methods. */
export interface UblkChannelSink {
  /** `result` 0: a request is there, write data in memory. Negative: the tag is over (-ENODEV: the device stops). */
  arrived(tag: number, result: number): void;
  /** `result`: bytes copied, or a negative errno. */
  copied(tag: number, result: number): void;
}
