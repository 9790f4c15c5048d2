import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

/**
 * A socket to an NBD server with just enough of the protocol (doc/proto.md, "Fixed newstyle negotiation" and "Request
 * message") to get to any state and then misbehave.
 */
export class RawNbd {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    for (const event of ['end', 'close', 'error'] as const) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  static async connect(uri: string): Promise<RawNbd> {
    const url = new URL(uri);
    const path = url.searchParams.get('socket');
    const socket = path === null ? connect(Number(url.port), url.hostname) : connect(path);
    await once(socket, 'connect');
    return new RawNbd(socket);
  }

  /** Connects and negotiates the default export: the next bytes sent are requests, replies are simple. */
  static async transmitting(uri: string): Promise<RawNbd> {
    const client = await RawNbd.connect(uri);
    await client.take(GREETING_BYTES);
    client.socket.write(Buffer.concat([CLIENT_FLAGS, option(OPTION_GO, EMPTY_NAME)]));
    for (let replyType = 0; replyType !== REPLY_ACK; ) {
      const header = await client.take(20);
      replyType = header.readUInt32BE(12);
      if (replyType >= 0x8000_0000) throw new Error(`GO refused with ${replyType.toString(16)}`);
      await client.take(header.readUInt32BE(16));
    }
    return client;
  }

  /** Exactly so many bytes; throws when the server ends the connection before. */
  async take(lengthBytes: number): Promise<Buffer> {
    while (this.#received.length < lengthBytes) {
      if (this.#ended) throw new Error('the server has closed the connection');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const taken = this.#received.subarray(0, lengthBytes);
    this.#received = this.#received.subarray(lengthBytes);
    return taken;
  }

  /** The error of the next simple reply, whose cookie must be this one. */
  async takeReply(cookie: number): Promise<number> {
    const reply = await this.take(16);
    if (reply.readUInt32BE(0) !== 0x6744_6698) throw new Error('not a simple reply');
    if (reply.readBigUInt64BE(8) !== BigInt(cookie)) throw new Error('a reply to something else');
    return reply.readUInt32BE(4);
  }

  /** Resolves when the server has ended the connection. */
  async untilClosed(): Promise<void> {
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** One option with its header ("Option haggling"); `claimedLength`: what the header says, if not the truth. */
export function option(number: number, data: Buffer, claimedLength = data.length): Buffer {
  const header = Buffer.alloc(16);
  header.write('IHAVEOPT', 0, 'latin1');
  header.writeUInt32BE(number, 8);
  header.writeUInt32BE(claimedLength, 12);
  return Buffer.concat([header, data]);
}

/** The 28 bytes of a request header. */
export function request(fields: RequestFields): Buffer {
  const header = Buffer.alloc(28);
  header.writeUInt32BE(fields.magic ?? 0x2560_9513, 0);
  header.writeUInt16BE(fields.flags ?? 0, 4);
  header.writeUInt16BE(fields.type, 6);
  header.writeBigUInt64BE(BigInt(fields.cookie ?? 0), 8);
  header.writeBigUInt64BE(BigInt(fields.offset ?? 0), 16);
  header.writeUInt32BE(fields.length ?? 0, 24);
  return header;
}

export interface RequestFields {
  readonly type: number;
  readonly magic?: number;
  readonly flags?: number;
  readonly cookie?: number;
  readonly offset?: number | bigint;
  readonly length?: number;
}

export const Command = {
  read: 0,
  write: 1,
  disconnect: 2,
  flush: 3,
  trim: 4,
  writeZeroes: 6,
  blockStatus: 7,
} as const;
export const OPTION_GO = 7;
export const GREETING_BYTES = 18;
/** C_FIXED_NEWSTYLE and C_NO_ZEROES. */
export const CLIENT_FLAGS = Buffer.from([0, 0, 0, 3]);
/** Data of INFO and GO: the default export, no information asked for. */
export const EMPTY_NAME = Buffer.alloc(6);
const REPLY_ACK = 1;
