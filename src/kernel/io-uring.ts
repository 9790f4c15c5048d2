import { assert } from '../base/assert.js';
import { ok, type Result } from '../base/result.js';
import { mapMemory } from './aligned-memory.js';
import { CompletionStash } from './completion-stash.js';
import { ioUringRegister } from './ffi.js';
import { RingEntry } from './ring-entry.js';
import { mapRing, type RingFailure, type RingMapping } from './ring-mapping.js';
import {
  CQE_FLAG,
  CQE_WORD,
  CQE_WORDS,
  OP,
  REGISTER,
  RSRC_REGISTER,
  SQ_FLAG,
  SQE_FLAG,
  SQE_WORD,
  SQE_WORDS,
} from './uring-abi.js';

/** Takes the completions of one kind of operation. */
export interface CompletionHandler {
  /** `result` and `flags` as in struct io_uring_cqe: a negative errno, or what the opcode answers. */
  ringCompletion(ticket: number, result: number, flags: number): void;
}

/**
 * An io_uring of the calling thread (no other thread may touch it). Nothing is allocated per operation.
 *
 * `submit` queues, `enter` hands the queue to the kernel and may wait, `reap` calls the handlers. Memory named in a
 * submission must stay mapped until its completion.
 */
export class Ring {
  /** Operations queued or in the kernel; one with CQE_FLAG.MORE stays in flight. */
  inFlightCount = 0;

  private readonly mapping: RingMapping;
  private readonly words: Int32Array<ArrayBuffer>;
  private readonly entryWords: Uint32Array<ArrayBuffer>;
  private readonly sqMask: number;
  private readonly cqMask: number;
  private readonly entry: RingEntry;
  private readonly handlers: (CompletionHandler | undefined)[] = [];
  /** By kind. */
  private readonly memoryAddresses = new Float64Array(KIND_MAX + 1);
  /** Free-running 32-bit counters, ours; the kernel sees them when published. Signed: never a number on the heap. */
  private sqTail: number;
  /** The kernel's, when it was looked at last; it may have taken more entries since. */
  private sqHeadSeen: number;
  private cqHead: number;
  /** A link may not have been taken by the kernel yet; `linkedEntry`: its second entry, as `sqTail` counts. */
  private hasLink = false;
  private linkedEntry = 0;
  private readonly stash = new CompletionStash();

  /**
   * `completionEntries`: more operations may be in flight than this, at the price of a slow path in the kernel.
   * Failures: no io_uring in this kernel, forbidden here, no memory.
   */
  static open(entries: number, completionEntries = entries * 4): Result<Ring, RingFailure> {
    const mapped = mapRing(entries, completionEntries);
    return mapped.ok ? ok(new Ring(mapped.value)) : mapped;
  }

  private constructor(mapping: RingMapping) {
    this.mapping = mapping;
    this.words = mapping.words;
    this.entryWords = mapping.entryWords;
    this.sqMask = mapping.sqEntries - 1;
    this.cqMask = mapping.cqEntries - 1;
    this.sqTail = Atomics.load(mapping.words, mapping.sqTailWord);
    this.sqHeadSeen = Atomics.load(mapping.words, mapping.sqHeadWord);
    this.cqHead = Atomics.load(mapping.words, mapping.cqHeadWord);
    this.entry = new RingEntry(mapping.fd, mapping.setupFlags, mapping.features);
  }

  /** The kind to submit with, 0 to 255. `memoryAddress`: what `submitTransfer` counts memory from. */
  registerHandler(handler: CompletionHandler, memoryAddress = 0): number {
    const free = this.handlers.indexOf(undefined);
    const kind = free === -1 ? this.handlers.length : free;
    assert(kind <= KIND_MAX, 'too many kinds of operation on one ring');
    this.handlers[kind] = handler;
    this.memoryAddresses[kind] = memoryAddress;
    return kind;
  }

  /** Only when no operation of this kind is in flight. */
  releaseHandler(kind: number): void {
    assert(this.handlers[kind] !== undefined, 'releases a kind that is not registered');
    this.handlers[kind] = undefined;
  }

  /** What ASYNC_CANCEL names an operation by. */
  userData(kind: number, ticket: number): number {
    return kind * 2 ** 32 + ticket;
  }

  /**
   * Queues one operation. `ticket` is a u32 and comes back with the completion. `offset` -1 means "none". Enters the
   * kernel only when the queue is full; handlers are never called from here.
   */
  submit(
    kind: number,
    ticket: number,
    opcode: number,
    fd: number,
    address: number,
    length: number,
    offset: number,
    opFlags: number,
    sqeFlags: number,
    ioPriority: number,
  ): void {
    const words = this.entryWords;
    const base = this.takeEntry();
    words[base + SQE_WORD.HEAD] = opcode | (sqeFlags << 8) | (ioPriority << 16);
    words[base + SQE_WORD.FD] = fd;
    words[base + SQE_WORD.OFFSET_LOW] = offset;
    words[base + SQE_WORD.OFFSET_HIGH] = Math.floor(offset / 2 ** 32);
    words[base + SQE_WORD.ADDRESS_LOW] = address;
    words[base + SQE_WORD.ADDRESS_HIGH] = Math.floor(address / 2 ** 32);
    words[base + SQE_WORD.LENGTH] = length;
    words[base + SQE_WORD.OP_FLAGS] = opFlags;
    words[base + SQE_WORD.USER_DATA_LOW] = ticket;
    words[base + SQE_WORD.USER_DATA_HIGH] = kind;
    this.clearFrom(base + SQE_WORD.BUFFER);
  }

  /**
   * Queues a READ or WRITE. `memoryOffset` counts from the kind's memory address. Addresses do not fit small integers:
   * passed on from function to function each would be a number on the heap.
   */
  submitTransfer(
    kind: number,
    ticket: number,
    opcode: number,
    fd: number,
    memoryOffset: number,
    lengthBytes: number,
    offsetBytes: number,
    rwFlags: number,
  ): void {
    const base = this.takeEntry();
    const words = this.entryWords;
    const address = this.memoryAddresses[kind]! + memoryOffset;
    words[base + SQE_WORD.HEAD] = opcode;
    words[base + SQE_WORD.FD] = fd;
    words[base + SQE_WORD.OFFSET_LOW] = offsetBytes;
    words[base + SQE_WORD.OFFSET_HIGH] = Math.floor(offsetBytes / 2 ** 32);
    words[base + SQE_WORD.ADDRESS_LOW] = address;
    words[base + SQE_WORD.ADDRESS_HIGH] = Math.floor(address / 2 ** 32);
    words[base + SQE_WORD.LENGTH] = lengthBytes;
    words[base + SQE_WORD.OP_FLAGS] = rwFlags;
    words[base + SQE_WORD.USER_DATA_LOW] = ticket;
    words[base + SQE_WORD.USER_DATA_HIGH] = kind;
    this.clearFrom(base + SQE_WORD.BUFFER);
  }

  /** READ_FIXED and WRITE_FIXED: as `submit`, `address` a byte offset in registered buffer number `bufferIndex`. */
  submitFixed(
    kind: number,
    ticket: number,
    opcode: number,
    fd: number,
    address: number,
    length: number,
    offset: number,
    opFlags: number,
    bufferIndex: number,
  ): void {
    this.submit(kind, ticket, opcode, fd, address, length, offset, opFlags, 0, 0);
    this.entryWords[((this.sqTail - 1) & this.sqMask) * SQE_WORDS + SQE_WORD.BUFFER] = bufferIndex;
  }

  /** Entries queued since the ring was opened, wrapping: a mark for `linkLast`. */
  get queuedTotal(): number {
    return this.sqTail;
  }

  /**
   * The entry queued last, if it is the only one since the mark, has the next one wait for it: that one is done when it
   * has succeeded in full, else it fails with ECANCELED (IOSQE_IO_LINK), or with EINVAL where the kernel can't have it
   * wait. False: it is not linked.
   */
  linkLast(queuedBefore: number): boolean {
    if (((this.sqTail - queuedBefore) | 0) !== 1 || this.queuedCount() > this.sqMask) return false;
    if (this.hasLink && !this.checkLink()) return false;
    this.entryWords[(queuedBefore & this.sqMask) * SQE_WORDS + SQE_WORD.HEAD]! |= SQE_FLAG.IO_LINK << 8;
    this.hasLink = true;
    this.linkedEntry = this.sqTail;
    return true;
  }

  /** Room for buffers that the kernel itself registers and unregisters (ublk zero copy). 0 or a negative errno. */
  registerBufferTable(count: number): number {
    const argument = mapMemory(RSRC_REGISTER.SIZE_BYTES);
    argument.view.setUint32(RSRC_REGISTER.COUNT, count, true);
    argument.view.setUint32(RSRC_REGISTER.FLAGS, RSRC_REGISTER.SPARSE, true);
    const result = ioUringRegister(
      this.mapping.fd,
      REGISTER.BUFFERS2,
      argument.address,
      RSRC_REGISTER.SIZE_BYTES,
    );
    argument.unmap();
    return result;
  }

  /** URING_CMD: `commandOp` is a u32; `address` and `address3` as the command wants them. */
  submitCommand(
    kind: number,
    ticket: number,
    fd: number,
    commandOp: number,
    address: number,
    address3: number,
  ): void {
    this.submit(kind, ticket, OP.URING_CMD, fd, address, 0, commandOp, 0, 0, 0);
    const base = ((this.sqTail - 1) & this.sqMask) * SQE_WORDS;
    this.entryWords[base + SQE_WORD.ADDRESS3_LOW] = address3;
    this.entryWords[base + SQE_WORD.ADDRESS3_HIGH] = Math.floor(address3 / 2 ** 32);
  }

  /**
   * URING_CMD of a ublk queue, with its struct ublksrv_io_cmd: `queueAndTag` is queue | tag << 16, `memoryOffset` where
   * the data is or goes (counted from the kind's memory address), `autoBuffer` a struct ublk_auto_buf_reg (0 without
   * zero copy).
   */
  submitUblkCommand(
    kind: number,
    ticket: number,
    fd: number,
    commandOp: number,
    queueAndTag: number,
    result: number,
    memoryOffset: number,
    autoBuffer: number,
  ): void {
    const base = this.takeEntry();
    const words = this.entryWords;
    const address = this.memoryAddresses[kind]! + memoryOffset;
    words[base + SQE_WORD.HEAD] = OP.URING_CMD;
    words[base + SQE_WORD.FD] = fd;
    words[base + SQE_WORD.OFFSET_LOW] = commandOp;
    words[base + SQE_WORD.OFFSET_HIGH] = 0;
    words[base + SQE_WORD.ADDRESS_LOW] = autoBuffer;
    words[base + SQE_WORD.ADDRESS_HIGH] = 0;
    words[base + SQE_WORD.LENGTH] = 0;
    words[base + SQE_WORD.OP_FLAGS] = 0;
    words[base + SQE_WORD.USER_DATA_LOW] = ticket;
    words[base + SQE_WORD.USER_DATA_HIGH] = kind;
    words[base + SQE_WORD.BUFFER] = 0;
    words[base + SQE_WORD.FILE_INDEX] = 0;
    words[base + SQE_WORD.ADDRESS3_LOW] = queueAndTag;
    words[base + SQE_WORD.ADDRESS3_HIGH] = result;
    words[base + SQE_WORD.PAD_LOW] = address;
    words[base + SQE_WORD.PAD_HIGH] = Math.floor(address / 2 ** 32);
  }

  /**
   * Submits what is queued, then waits for `waitCount` completions, at most `timeoutMs` (-1: for ever). May return
   * early with fewer (a signal, memory pressure, completions at hand): callers loop. `waitCount` 0 only looks.
   */
  enter(waitCount: number, timeoutMs: number): void {
    const queued = this.publish();
    const waits = waitCount > 0 && this.stash.count === 0;
    if (!waits && queued === 0 && !this.kernelWantsEntry()) return;
    if (this.hasLink) this.checkLink();
    if (waits) this.entry.wait(queued, waitCount, timeoutMs);
    else this.entry.look(queued);
  }

  /** Something for `reap` is there. */
  get hasCompletions(): boolean {
    return this.stash.count > 0 || Atomics.load(this.words, this.mapping.cqTailWord) !== this.cqHead;
  }

  /**
   * Hands all completions that are there now to their handlers; those that arrive meanwhile are left for the next
   * call. Returns how many.
   */
  reap(): number {
    const words = this.words;
    const firstWord = this.mapping.cqeFirstWord;
    const tail = Atomics.load(words, this.mapping.cqTailWord);
    let count = this.reapStash();
    while (((tail - this.cqHead) | 0) > 0) {
      const base = firstWord + (this.cqHead & this.cqMask) * CQE_WORDS;
      const ticket = words[base + CQE_WORD.USER_DATA_LOW]! >>> 0;
      const kind = words[base + CQE_WORD.USER_DATA_HIGH]!;
      const result = words[base + CQE_WORD.RESULT]!;
      const flags = words[base + CQE_WORD.FLAGS]!;
      this.cqHead = (this.cqHead + 1) | 0;
      count += 1;
      this.dispatch(kind, ticket, result, flags);
    }
    Atomics.store(words, this.mapping.cqHeadWord, this.cqHead);
    return count;
  }

  /** Only with nothing in flight: the kernel could still write to memory of operations that were. */
  close(): void {
    assert(this.inFlightCount === 0, 'ring closed with operations in flight');
    this.mapping.release();
    this.entry.close();
  }

  private dispatch(kind: number, ticket: number, result: number, flags: number): void {
    if ((flags & CQE_FLAG.MORE) === 0) this.inFlightCount -= 1;
    const handler = this.handlers[kind];
    assert(handler !== undefined, 'completion of a kind that nobody registered');
    handler.ringCompletion(ticket, result, flags);
  }

  /** The first word of the entry to fill. */
  private takeEntry(): number {
    if ((this.sqTail - this.sqHeadSeen) >>> 0 > this.sqMask && this.queuedCount() > this.sqMask)
      this.makeRoom();
    const base = (this.sqTail & this.sqMask) * SQE_WORDS;
    this.sqTail = (this.sqTail + 1) | 0;
    this.inFlightCount += 1;
    return base;
  }

  /** The last six words of an entry. */
  private clearFrom(first: number): void {
    const words = this.entryWords;
    words[first] = 0;
    words[first + 1] = 0;
    words[first + 2] = 0;
    words[first + 3] = 0;
    words[first + 4] = 0;
    words[first + 5] = 0;
  }

  /** Entries that the kernel has not taken yet. */
  private queuedCount(): number {
    this.sqHeadSeen = Atomics.load(this.words, this.mapping.sqHeadWord);
    return (this.sqTail - this.sqHeadSeen) >>> 0;
  }

  private publish(): number {
    Atomics.store(this.words, this.mapping.sqTailWord, this.sqTail);
    return this.queuedCount();
  }

  /** Submits until there is a free entry. A kernel that refuses because completions pile up gets them taken off. */
  private makeRoom(): void {
    this.submitQueued();
    while (this.queuedCount() > this.sqMask) {
      this.stashCompletions();
      this.submitQueued();
    }
  }

  private submitQueued(): void {
    const queued = this.publish();
    if (this.hasLink) this.checkLink();
    this.entry.wait(queued, 0, -1);
  }

  /**
   * Whether the last link is done with. A kernel short of memory takes fewer entries than it is given: an entry that was
   * to wait for one that was taken before it would wait for nothing, so it is made to fail.
   */
  private checkLink(): boolean {
    const ahead = (this.linkedEntry - Atomics.load(this.words, this.mapping.sqHeadWord)) | 0;
    if (ahead > 0) return false;
    if (ahead === 0)
      this.entryWords[(this.linkedEntry & this.sqMask) * SQE_WORDS + SQE_WORD.HEAD] = NO_OPCODE;
    this.hasLink = false;
    return true;
  }

  /** Without the flag the kernel does its part at any moment, and only overflown completions need an entry. */
  private kernelWantsEntry(): boolean {
    const flags = Atomics.load(this.words, this.mapping.sqFlagsWord);
    return (flags & (SQ_FLAG.CQ_OVERFLOW | SQ_FLAG.TASKRUN)) !== 0;
  }

  private stashCompletions(): void {
    const tail = Atomics.load(this.words, this.mapping.cqTailWord);
    while (((tail - this.cqHead) | 0) > 0) {
      const base = this.mapping.cqeFirstWord + (this.cqHead & this.cqMask) * CQE_WORDS;
      this.stash.keep(this.words, base);
      this.cqHead = (this.cqHead + 1) | 0;
    }
    Atomics.store(this.words, this.mapping.cqHeadWord, this.cqHead);
  }

  private reapStash(): number {
    if (this.stash.count === 0) return 0;
    const entries = this.stash.take();
    for (let base = 0; base < entries.length; base += CQE_WORDS) {
      const ticket = entries[base + CQE_WORD.USER_DATA_LOW]! >>> 0;
      const kind = entries[base + CQE_WORD.USER_DATA_HIGH]!;
      this.dispatch(kind, ticket, entries[base + CQE_WORD.RESULT]!, entries[base + CQE_WORD.FLAGS]!);
    }
    return entries.length / CQE_WORDS;
  }
}

/** EINVAL for every kernel. */
const NO_OPCODE = 255;
const KIND_MAX = 255;
