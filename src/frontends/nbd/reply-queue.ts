import { SegmentList } from '../../ports/byte-stream.js';
import { MAX_PIECES, SEND_BATCH_BYTES, SEND_SEGMENTS } from './limits.js';
import type { ReplyEncoder } from './reply-encoder.js';
import type { RequestTable } from './request-table.js';
import type { SharedBuffers } from './shared-buffers.js';

/**
 * Replies of one connection: ready ones in completion order, and the batch that is being sent. A batch is a list of
 * segments of at most about `SEND_BATCH_BYTES`; a long reply may go out in several batches, and each gives its
 * buffers back when it has been sent.
 */
export class ReplyQueue {
  readonly segments = new SegmentList(SEND_SEGMENTS);
  /** Read data held by requests of this connection, from allocation to its last byte sent. */
  heldBytes = 0;
  private readonly requests: RequestTable;
  private readonly buffers: SharedBuffers;
  private readonly encoder: ReplyEncoder;
  private head = -1;
  private tail = -1;
  /** Pieces of the head that earlier batches took; -1 when its header is still to go. */
  private headPieces = -1;
  /** Buffers and requests of the batch being sent. */
  private readonly batchBuffers = new Float64Array(SEND_SEGMENTS);
  private readonly batchBufferBytes = new Uint32Array(SEND_SEGMENTS);
  private batchBufferCount = 0;
  private batchHead = -1;

  constructor(requests: RequestTable, buffers: SharedBuffers, encoder: ReplyEncoder) {
    this.requests = requests;
    this.buffers = buffers;
    this.encoder = encoder;
  }

  get isEmpty(): boolean {
    return this.head === -1;
  }

  /** The reply's header (or, for BLOCK_STATUS, only its pieces) is written: it may go out. */
  push(request: number): void {
    this.requests.next[request] = -1;
    if (this.tail === -1) this.head = request;
    else this.requests.next[this.tail] = request;
    this.tail = request;
  }

  /** One more buffer of reply data, sent behind those before it and freed afterwards. */
  addPiece(request: number, memoryOffset: number, lengthBytes: number): void {
    this.requests.addPiece(request, memoryOffset, lengthBytes);
    this.heldBytes += lengthBytes;
  }

  /** Fills `segments` with what is ready. The stream then owns them until `batchSent`. */
  fillBatch(): void {
    this.segments.clear();
    while (this.head !== -1 && this.hasRoom()) {
      this.takePieces(this.head);
      if (this.headPieces < this.requests.pieceCount[this.head]!) return;
      this.moveHeadToBatch();
    }
  }

  /** The batch is out (or never will be): gives its memory back and returns how many requests ended. */
  batchSent(): number {
    for (let i = 0; i < this.batchBufferCount; i += 1) {
      this.buffers.free(this.batchBuffers[i]!);
      this.heldBytes -= this.batchBufferBytes[i]!;
    }
    this.batchBufferCount = 0;
    let ended = 0;
    while (this.batchHead !== -1) {
      const request = this.batchHead;
      this.batchHead = this.requests.next[request]!;
      this.requests.pieceCount[request] = 0;
      this.requests.release(request);
      ended += 1;
    }
    return ended;
  }

  /** Drops every reply, the batch too; the stream must be closed. Returns how many requests ended. */
  clear(): number {
    let ended = this.batchSent();
    while (this.head !== -1) {
      const request = this.head;
      this.head = this.requests.next[request]!;
      this.freePieces(request, Math.max(this.headPieces, 0));
      this.headPieces = -1;
      this.requests.release(request);
      ended += 1;
    }
    this.tail = -1;
    return ended;
  }

  /** Frees the buffers of a request from piece `from` on: its data will not be sent. */
  freePieces(request: number, from: number): void {
    const base = request * MAX_PIECES;
    for (let i = from; i < this.requests.pieceCount[request]!; i += 1) {
      this.buffers.free(this.requests.pieceMemory[base + i]!);
      this.heldBytes -= this.requests.pieceBytes[base + i]!;
    }
    this.requests.pieceCount[request] = 0;
  }

  private hasRoom(): boolean {
    const { segments } = this;
    return segments.count + 2 <= SEND_SEGMENTS && segments.totalBytes < SEND_BATCH_BYTES;
  }

  private takePieces(request: number): void {
    const { requests, segments } = this;
    if (this.headPieces === -1) {
      const headerBytes = requests.headerBytes[request]!;
      if (headerBytes > 0) segments.push(this.encoder.headerOffset(request), headerBytes);
      this.headPieces = 0;
    }
    const pieceCount = requests.pieceCount[request]!;
    while (this.headPieces < pieceCount && segments.count < SEND_SEGMENTS) {
      if (segments.totalBytes >= SEND_BATCH_BYTES) return;
      const index = request * MAX_PIECES + this.headPieces;
      const lengthBytes = requests.pieceBytes[index]!;
      segments.push(requests.pieceMemory[index]!, lengthBytes);
      this.batchBuffers[this.batchBufferCount] = requests.pieceMemory[index]!;
      this.batchBufferBytes[this.batchBufferCount] = lengthBytes;
      this.batchBufferCount += 1;
      this.headPieces += 1;
    }
  }

  private moveHeadToBatch(): void {
    const request = this.head;
    this.head = this.requests.next[request]!;
    if (this.head === -1) this.tail = -1;
    this.headPieces = -1;
    this.requests.next[request] = this.batchHead;
    this.batchHead = request;
  }
}
