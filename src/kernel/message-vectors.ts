import { assert } from '../base/assert.js';
import type { SegmentList } from '../ports/byte-stream.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { MappedMemory } from './aligned-memory.js';

/** UIO_MAXIOV of linux/uio.h: more pieces than this in one system call are refused. */
const VECTORS_MAX = 1024;
const VECTOR_BYTES = 16;
const VECTOR_WORDS = VECTOR_BYTES / 4;
/** struct msghdr of 64-bit Linux: name, name length, vectors @16, count @24, control, flags. */
const HEADER_BYTES = 64;
const HEADER_VECTORS_WORD = 16 / 4;
const HEADER_COUNT_WORD = 24 / 4;

/** Room that one stream needs in the table's memory. */
export const MESSAGE_BYTES = HEADER_BYTES + VECTORS_MAX * VECTOR_BYTES;

/**
 * What is left to send of a segment list, in the form sendmsg takes: a struct msghdr and its vectors in memory that
 * the kernel reads. Long lists are sent in parts.
 */
export class MessageVectors {
  /** Bytes that still have to go out. */
  remainingBytes = 0;
  /** Address of the struct msghdr. */
  readonly address: number;

  private readonly words: Uint32Array;
  private readonly payloadAddress: number;
  private segments: SegmentList | undefined;
  private nextSegment = 0;
  private firstVector = 0;
  private vectorCount = 0;

  constructor(table: MappedMemory, tableOffset: number, payload: IoMemory) {
    this.address = table.address + tableOffset;
    this.words = new Uint32Array(table.bytes.buffer, table.bytes.byteOffset + tableOffset, MESSAGE_BYTES / 4);
    this.words.fill(0, 0, HEADER_BYTES / 4);
    this.payloadAddress = payload.address;
  }

  start(segments: SegmentList): void {
    this.segments = segments;
    this.nextSegment = 0;
    this.remainingBytes = segments.totalBytes;
    this.load();
  }

  /** These many bytes went out. */
  advance(sentBytes: number): void {
    assert(sentBytes <= this.remainingBytes, 'more sent than there was');
    this.remainingBytes -= sentBytes;
    while (sentBytes > 0) sentBytes -= this.consume(sentBytes);
    if (this.vectorCount === 0 && this.remainingBytes > 0) this.load();
    this.describe();
  }

  /** Fills the vectors with the next segments that are not empty. */
  private load(): void {
    const segments = this.segments!;
    this.firstVector = 0;
    this.vectorCount = 0;
    while (this.nextSegment < segments.count && this.vectorCount < VECTORS_MAX) {
      const address = this.payloadAddress + segments.offsets[this.nextSegment]!;
      const lengthBytes = segments.lengths[this.nextSegment]!;
      this.nextSegment += 1;
      if (lengthBytes === 0) continue;
      this.setVector(this.vectorCount, address, lengthBytes);
      this.vectorCount += 1;
    }
    this.describe();
  }

  /** Takes up to `bytes` off the first vector; returns how many it had of them. */
  private consume(bytes: number): number {
    const word = this.vectorWord(this.firstVector);
    const lengthBytes = this.words[word + 2]!;
    if (bytes < lengthBytes) {
      const address = this.words[word + 1]! * 2 ** 32 + this.words[word]!;
      this.setVector(this.firstVector, address + bytes, lengthBytes - bytes);
      return bytes;
    }
    this.firstVector += 1;
    this.vectorCount -= 1;
    return lengthBytes;
  }

  private setVector(index: number, address: number, lengthBytes: number): void {
    const word = this.vectorWord(index);
    this.words[word] = address;
    this.words[word + 1] = Math.floor(address / 2 ** 32);
    this.words[word + 2] = lengthBytes;
    this.words[word + 3] = 0;
  }

  private vectorWord(index: number): number {
    return HEADER_BYTES / 4 + index * VECTOR_WORDS;
  }

  private describe(): void {
    const address = this.address + HEADER_BYTES + this.firstVector * VECTOR_BYTES;
    this.words[HEADER_VECTORS_WORD] = address;
    this.words[HEADER_VECTORS_WORD + 1] = Math.floor(address / 2 ** 32);
    this.words[HEADER_COUNT_WORD] = this.vectorCount;
    this.words[HEADER_COUNT_WORD + 1] = 0;
  }
}
