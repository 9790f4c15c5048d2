import { connect as connectNet, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { assert } from '../base/assert.js';
import {
  CHUNK_HEADER_BYTES,
  CHUNK_MAGIC,
  Chunk,
  ChunkFlag,
  Command,
  CommandFlag,
  REQUEST_HEADER_BYTES,
  REQUEST_MAGIC,
  SIMPLE_REPLY_BYTES,
  SIMPLE_REPLY_MAGIC,
} from '../frontends/nbd/protocol.js';
import { ByteReader } from './byte-reader.js';
import { type AgreedExport, agreeOnExport, startTls } from './nbd-client-handshake.js';

export interface NbdClientOptions {
  readonly address: { readonly path: string } | { readonly host: string; readonly port: number };
  readonly exportName?: string;
  /** Metadata contexts to ask for; those the server knows are used. */
  readonly contexts?: readonly string[];
  /** Asks for TLS and does not go on without. */
  readonly tls?: ConnectionOptions;
}

/** The server answered a request with an error. */
export class NbdRequestError extends Error {
  override readonly name = 'NbdRequestError';
  /** NBD error number; the values are those of Linux. */
  readonly errno: number;
  /** Where it happened, when the server said so. */
  readonly badOffsetBytes: number | null;

  constructor(errno: number, text: string, badOffsetBytes: number | null) {
    super(text === '' ? `NBD error ${errno}` : `NBD error ${errno}: ${text}`);
    this.errno = errno;
    this.badOffsetBytes = badOffsetBytes;
  }
}

export interface StatusExtent {
  readonly lengthBytes: number;
  readonly flags: number;
}
/** Extents by context name. */
export type BlockStatusResult = Map<string, StatusExtent[]>;

/** A request without its reply. */
interface Pending {
  readonly offsetBytes: number;
  /** Where the data of a read goes; null for other commands. */
  readonly data: Buffer | null;
  readonly status: BlockStatusResult;
  error: NbdRequestError | null;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * A small NBD client for demonstrations and tests: any number of requests in flight, structured replies. Every
 * method rejects with `NbdRequestError` when the server says no, and with another error when the connection breaks.
 */
export class NbdClient {
  readonly agreed: AgreedExport;
  private readonly socket: Socket | TLSSocket;
  private readonly pending = new Map<number, Pending>();
  private nextCookie = 1;
  private broken: Error | null = null;

  private constructor(socket: Socket | TLSSocket, reader: ByteReader, agreed: AgreedExport) {
    this.socket = socket;
    this.agreed = agreed;
    this.receiveReplies(reader).catch((error: Error) => this.breakOff(error));
  }

  static async connect(options: NbdClientOptions): Promise<NbdClient> {
    const plain = connectNet(options.address);
    let socket: Socket | TLSSocket = plain;
    try {
      let reader = new ByteReader(plain);
      if (options.tls) {
        await startTls(reader, plain);
        reader.detach();
        socket = connectTls({ ...options.tls, socket: plain });
        reader = new ByteReader(socket);
      }
      const agreed = await agreeOnExport(reader, socket, {
        name: options.exportName ?? '',
        contexts: options.contexts ?? [],
        greeted: options.tls !== undefined,
      });
      if ('setNoDelay' in socket) socket.setNoDelay(true);
      return new NbdClient(socket, reader, agreed);
    } catch (error) {
      socket.destroy();
      plain.destroy();
      throw error;
    }
  }

  get sizeBytes(): number {
    return this.agreed.sizeBytes;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Buffer> {
    const data = Buffer.alloc(lengthBytes);
    await this.request(Command.read, 0, offsetBytes, lengthBytes, null, data);
    return data;
  }

  async write(offsetBytes: number, payload: Uint8Array, options: { fua?: boolean } = {}): Promise<void> {
    const flags = options.fua ? CommandFlag.fua : 0;
    await this.request(Command.write, flags, offsetBytes, payload.length, payload);
  }

  async flush(): Promise<void> {
    await this.request(Command.flush, 0, 0, 0);
  }

  async trim(offsetBytes: number, lengthBytes: number, options: { fua?: boolean } = {}): Promise<void> {
    await this.request(Command.trim, options.fua ? CommandFlag.fua : 0, offsetBytes, lengthBytes);
  }

  async zero(
    offsetBytes: number,
    lengthBytes: number,
    options: { fua?: boolean; noHole?: boolean; fast?: boolean } = {},
  ): Promise<void> {
    const flags =
      (options.fua ? CommandFlag.fua : 0) |
      (options.noHole ? CommandFlag.noHole : 0) |
      (options.fast ? CommandFlag.fastZero : 0);
    await this.request(Command.writeZeroes, flags, offsetBytes, lengthBytes);
  }

  /** May describe less than asked for, but at least one extent per context. */
  async blockStatus(offsetBytes: number, lengthBytes: number): Promise<BlockStatusResult> {
    return (await this.request(Command.blockStatus, 0, offsetBytes, lengthBytes)).status;
  }

  /** Says goodbye and waits until the server has answered everything and closed. */
  async disconnect(): Promise<void> {
    if (this.broken !== null) return;
    const closed = new Promise<void>((resolve) => this.socket.once('close', () => resolve()));
    this.socket.write(this.header(Command.disconnect, 0, 0, 0, 0));
    await closed;
  }

  /** Cuts the connection; requests in flight reject. */
  destroy(): void {
    this.socket.destroy();
  }

  private request(
    type: number,
    flags: number,
    offsetBytes: number,
    lengthBytes: number,
    payload: Uint8Array | null = null,
    data: Buffer | null = null,
  ): Promise<Pending> {
    return new Promise((resolve, reject) => {
      if (this.broken !== null) {
        reject(this.broken);
        return;
      }
      const cookie = this.nextCookie;
      this.nextCookie += 1;
      const pending: Pending = {
        offsetBytes,
        data,
        status: new Map(),
        error: null,
        resolve: () => resolve(pending),
        reject,
      };
      this.pending.set(cookie, pending);
      this.socket.cork();
      this.socket.write(this.header(type, flags, cookie, offsetBytes, lengthBytes));
      if (payload !== null) this.socket.write(payload);
      this.socket.uncork();
    });
  }

  private header(
    type: number,
    flags: number,
    cookie: number,
    offsetBytes: number,
    lengthBytes: number,
  ): Buffer {
    const bytes = Buffer.alloc(REQUEST_HEADER_BYTES);
    bytes.writeUInt32BE(REQUEST_MAGIC, 0);
    bytes.writeUInt16BE(flags, 4);
    bytes.writeUInt16BE(type, 6);
    bytes.writeBigUInt64BE(BigInt(cookie), 8);
    bytes.writeBigUInt64BE(BigInt(offsetBytes), 16);
    bytes.writeUInt32BE(lengthBytes, 24);
    return bytes;
  }

  /** Runs until the connection ends. */
  private async receiveReplies(reader: ByteReader): Promise<never> {
    for (;;) {
      const magic = (await reader.peek(4)).readUInt32BE(0);
      if (magic === SIMPLE_REPLY_MAGIC) await this.receiveSimple(reader);
      else if (magic === CHUNK_MAGIC) await this.receiveChunk(reader);
      else throw new Error(`the server sent ${magic.toString(16)} where a reply starts`);
    }
  }

  private async receiveSimple(reader: ByteReader): Promise<void> {
    const header = await reader.take(SIMPLE_REPLY_BYTES);
    const errno = header.readUInt32BE(4);
    const cookie = Number(header.readBigUInt64BE(8));
    const pending = this.pendingOf(cookie);
    if (errno !== 0) pending.error = new NbdRequestError(errno, '', null);
    else if (pending.data !== null) (await reader.take(pending.data.length)).copy(pending.data);
    this.finish(cookie, pending);
  }

  private async receiveChunk(reader: ByteReader): Promise<void> {
    const header = await reader.take(CHUNK_HEADER_BYTES);
    const payload = await reader.take(header.readUInt32BE(16));
    const cookie = Number(header.readBigUInt64BE(8));
    const pending = this.pendingOf(cookie);
    this.applyChunk(pending, header.readUInt16BE(6), payload);
    if (header.readUInt16BE(4) & ChunkFlag.done) this.finish(cookie, pending);
  }

  private applyChunk(pending: Pending, type: number, payload: Buffer): void {
    switch (type) {
      case Chunk.none:
        return;
      case Chunk.offsetData: {
        assert(pending.data !== null, 'data answers a read');
        payload.copy(pending.data, Number(payload.readBigUInt64BE(0)) - pending.offsetBytes, 8);
        return;
      }
      case Chunk.offsetHole:
        // The buffer of a read is zeroes to begin with.
        return;
      case Chunk.blockStatus:
        this.applyStatus(pending, payload);
        return;
      case Chunk.error:
      case Chunk.errorOffset: {
        const textBytes = payload.readUInt16BE(4);
        const text = payload.toString('utf8', 6, 6 + textBytes);
        const bad = type === Chunk.errorOffset ? Number(payload.readBigUInt64BE(6 + textBytes)) : null;
        pending.error ??= new NbdRequestError(payload.readUInt32BE(0), text, bad);
        return;
      }
      default:
        throw new Error(`the server sent a chunk of unknown type ${type}`);
    }
  }

  private applyStatus(pending: Pending, payload: Buffer): void {
    const name = this.agreed.contexts.get(payload.readUInt32BE(0));
    if (name === undefined) throw new Error('the server sent the status of a context that was not selected');
    const extents: StatusExtent[] = [];
    for (let at = 4; at + 8 <= payload.length; at += 8) {
      extents.push({ lengthBytes: payload.readUInt32BE(at), flags: payload.readUInt32BE(at + 4) });
    }
    pending.status.set(name, extents);
  }

  private pendingOf(cookie: number): Pending {
    const pending = this.pending.get(cookie);
    if (pending === undefined) throw new Error(`the server answered a request that was not made: ${cookie}`);
    return pending;
  }

  private finish(cookie: number, pending: Pending): void {
    this.pending.delete(cookie);
    if (pending.error !== null) pending.reject(pending.error);
    else pending.resolve();
  }

  private breakOff(error: Error): void {
    this.broken = error;
    this.socket.destroy();
    for (const pending of this.pending.values()) pending.reject(error);
    this.pending.clear();
  }
}
