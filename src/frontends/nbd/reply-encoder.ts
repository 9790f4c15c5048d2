import type { IoMemory } from '../../ports/io-memory.js';
import { nbdErrorText } from './errors.js';
import { REPLY_HEADER_BYTES } from './limits.js';
import {
  CHUNK_HEADER_BYTES,
  CHUNK_MAGIC,
  Chunk,
  ChunkFlag,
  Command,
  SIMPLE_REPLY_BYTES,
  SIMPLE_REPLY_MAGIC,
} from './protocol.js';
import type { RequestTable } from './request-table.js';

/** Writes reply headers into the header areas of requests: `REPLY_HEADER_BYTES` each from `baseOffset` on. */
export class ReplyEncoder {
  private readonly memory: IoMemory;
  private readonly requests: RequestTable;
  private readonly baseOffset: number;

  constructor(memory: IoMemory, requests: RequestTable, baseOffset: number) {
    this.memory = memory;
    this.requests = requests;
    this.baseOffset = baseOffset;
  }

  headerOffset(request: number): number {
    return this.baseOffset + request * REPLY_HEADER_BYTES;
  }

  simple(request: number, error: number): void {
    const view = this.memory.view;
    const at = this.headerOffset(request);
    view.setUint32(at, SIMPLE_REPLY_MAGIC);
    view.setUint32(at + 4, error);
    view.setUint32(at + 8, this.requests.cookieHigh[request]!);
    view.setUint32(at + 12, this.requests.cookieLow[request]!);
    this.requests.headerBytes[request] = SIMPLE_REPLY_BYTES;
  }

  /** The one OFFSET_DATA chunk of a read; its data follows. A read of nothing is a chunk of type NONE. */
  readChunk(request: number): void {
    const { offsetBytes, lengthBytes } = this.requests;
    const dataBytes = lengthBytes[request]!;
    if (dataBytes === 0) {
      this.lastChunk(request, Chunk.none, 0);
      return;
    }
    this.lastChunk(request, Chunk.offsetData, 8 + dataBytes);
    this.setU64(this.headerOffset(request) + CHUNK_HEADER_BYTES, offsetBytes[request]!);
    this.requests.headerBytes[request] = CHUNK_HEADER_BYTES + 8;
  }

  /** An error with its text, and with `badOffsetBytes` where the place is known (-1 where not). */
  errorChunk(request: number, error: number, badOffsetBytes: number): void {
    const text = nbdErrorText(error);
    const hasOffset = badOffsetBytes >= 0;
    const payloadBytes = 6 + text.length + (hasOffset ? 8 : 0);
    this.lastChunk(request, hasOffset ? Chunk.errorOffset : Chunk.error, payloadBytes);
    const at = this.headerOffset(request) + CHUNK_HEADER_BYTES;
    this.memory.view.setUint32(at, error);
    this.memory.view.setUint16(at + 4, text.length);
    this.memory.bytes.set(text, at + 6);
    if (hasOffset) this.setU64(at + 6 + text.length, badOffsetBytes);
    this.requests.headerBytes[request] = CHUNK_HEADER_BYTES + payloadBytes;
  }

  /** Success of a command without data: a simple reply is legal with structured replies too, and shorter. */
  success(request: number, structured: boolean): void {
    const isRead = this.requests.type[request] === Command.read;
    if (structured && isRead) this.readChunk(request);
    else this.simple(request, 0);
  }

  /** Writes a chunk header anywhere in memory. */
  chunkHeader(at: number, request: number, flags: number, type: number, payloadBytes: number): void {
    const view = this.memory.view;
    view.setUint32(at, CHUNK_MAGIC);
    view.setUint16(at + 4, flags);
    view.setUint16(at + 6, type);
    view.setUint32(at + 8, this.requests.cookieHigh[request]!);
    view.setUint32(at + 12, this.requests.cookieLow[request]!);
    view.setUint32(at + 16, payloadBytes);
  }

  private lastChunk(request: number, type: number, payloadBytes: number): void {
    this.chunkHeader(this.headerOffset(request), request, ChunkFlag.done, type, payloadBytes);
    this.requests.headerBytes[request] = CHUNK_HEADER_BYTES;
  }

  private setU64(at: number, value: number): void {
    this.memory.view.setUint32(at, Math.floor(value / 2 ** 32));
    this.memory.view.setUint32(at + 4, value >>> 0);
  }
}
