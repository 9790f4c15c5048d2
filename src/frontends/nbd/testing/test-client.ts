import { CHUNK_MAGIC, Chunk, OPTION_MAGIC, REQUEST_MAGIC, SIMPLE_REPLY_MAGIC } from '../protocol.js';

/** The bytes of one option. */
export function optionBytes(option: number, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = Buffer.alloc(16 + data.length);
  bytes.writeUInt32BE(OPTION_MAGIC.high, 0);
  bytes.writeUInt32BE(OPTION_MAGIC.low, 4);
  bytes.writeUInt32BE(option, 8);
  bytes.writeUInt32BE(data.length, 12);
  bytes.set(data, 16);
  return bytes;
}

export function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function u16(value: number): Uint8Array {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** A string behind its length. */
export function counted(text: string): Uint8Array {
  const encoded = Buffer.from(text);
  return Buffer.concat([u32(encoded.length), encoded]);
}

/** Data of INFO and GO. */
export function infoData(name: string, ...types: number[]): Uint8Array {
  return Buffer.concat([counted(name), u16(types.length), ...types.map(u16)]);
}

/** Data of LIST_META_CONTEXT and SET_META_CONTEXT. */
export function contextData(name: string, ...queries: string[]): Uint8Array {
  return Buffer.concat([counted(name), u32(queries.length), ...queries.map(counted)]);
}

export interface TestRequest {
  readonly type: number;
  readonly flags?: number;
  readonly cookie: bigint;
  readonly offset?: bigint;
  readonly length?: number;
  readonly payload?: Uint8Array;
}

export function requestBytes(request: TestRequest): Uint8Array {
  const payload = request.payload ?? new Uint8Array(0);
  const bytes = Buffer.alloc(28 + payload.length);
  bytes.writeUInt32BE(REQUEST_MAGIC, 0);
  bytes.writeUInt16BE(request.flags ?? 0, 4);
  bytes.writeUInt16BE(request.type, 6);
  bytes.writeBigUInt64BE(request.cookie, 8);
  bytes.writeBigUInt64BE(request.offset ?? 0n, 16);
  bytes.writeUInt32BE(request.length ?? payload.length, 24);
  bytes.set(payload, 28);
  return bytes;
}

export interface OptionReplySeen {
  readonly option: number;
  readonly type: number;
  readonly data: Buffer;
}

/** Splits bytes of the server into option replies; `rest` is what is left. */
export function parseOptionReplies(input: Uint8Array): { replies: OptionReplySeen[]; rest: Buffer } {
  let rest = Buffer.from(input);
  const replies: OptionReplySeen[] = [];
  while (rest.length >= 20 && rest.readBigUInt64BE(0) === 0x0003e889045565a9n) {
    const length = rest.readUInt32BE(16);
    const data = rest.subarray(20, 20 + length);
    replies.push({ option: rest.readUInt32BE(8), type: rest.readUInt32BE(12), data });
    rest = rest.subarray(20 + length);
  }
  return { replies, rest };
}

export interface ReplySeen {
  readonly cookie: bigint;
  readonly structured: boolean;
  readonly error: number;
  /** Chunk type and flags; -1 and 0 for a simple reply. */
  readonly chunk: number;
  readonly flags: number;
  /** Data of a simple read, or the payload of a chunk. */
  readonly data: Buffer;
}

/** Splits bytes of the transmission phase. `readLength` says how much data follows a successful simple read. */
export function parseReplies(input: Uint8Array, readLength: (cookie: bigint) => number): ReplySeen[] {
  let rest = Buffer.from(input);
  const replies: ReplySeen[] = [];
  while (rest.length > 0) {
    const magic = rest.readUInt32BE(0);
    if (magic === SIMPLE_REPLY_MAGIC) {
      const error = rest.readUInt32BE(4);
      const cookie = rest.readBigUInt64BE(8);
      const length = error === 0 ? readLength(cookie) : 0;
      const data = rest.subarray(16, 16 + length);
      if (data.length !== length) throw new Error('a reply was cut off');
      replies.push({ cookie, structured: false, error, chunk: -1, flags: 0, data });
      rest = rest.subarray(16 + length);
      continue;
    }
    if (magic !== CHUNK_MAGIC) throw new Error(`not a reply: ${magic.toString(16)}`);
    const chunk = rest.readUInt16BE(6);
    const length = rest.readUInt32BE(16);
    const data = rest.subarray(20, 20 + length);
    if (data.length !== length) throw new Error('a chunk was cut off');
    const error = chunk === Chunk.error || chunk === Chunk.errorOffset ? data.readUInt32BE(0) : 0;
    replies.push({
      cookie: rest.readBigUInt64BE(8),
      structured: true,
      error,
      chunk,
      flags: rest.readUInt16BE(4),
      data,
    });
    rest = rest.subarray(20 + length);
  }
  return replies;
}
