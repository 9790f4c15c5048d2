import type { Duplex } from 'node:stream';
import {
  GREETING_BYTES,
  HandshakeFlag,
  Info,
  OPTION_HEADER_BYTES,
  OPTION_MAGIC,
  OPTION_REPLY_HEADER_BYTES,
  Option,
  OptionReply,
} from '../frontends/nbd/protocol.js';
import type { ByteReader } from './byte-reader.js';

export interface AgreedExport {
  readonly sizeBytes: number;
  /** `TransmissionFlag` bits. */
  readonly flags: number;
  readonly minimumBlockBytes: number;
  readonly preferredBlockBytes: number;
  readonly maximumPayloadBytes: number;
  readonly structuredReplies: boolean;
  /** Names of the selected contexts by id. */
  readonly contexts: ReadonlyMap<number, string>;
}

/** The server refused an option. */
export class NbdOptionError extends Error {
  override readonly name = 'NbdOptionError';
  /** `OptionReply` error. */
  readonly replyType: number;

  constructor(option: number, replyType: number, text: string) {
    super(`the server refused option ${option} with ${replyType - 0x80000000}: ${text}`);
    this.replyType = replyType;
  }
}

/** Greeting and STARTTLS; afterwards the socket is ready for TLS. */
export async function startTls(reader: ByteReader, socket: Duplex): Promise<void> {
  await greet(reader, socket);
  await requireAck(reader, socket, Option.startTls, Buffer.alloc(0));
}

/** The rest of the handshake, up to GO. `greeted`: greeting and flags were exchanged before. */
export async function agreeOnExport(
  reader: ByteReader,
  socket: Duplex,
  wanted: { readonly name: string; readonly contexts: readonly string[]; readonly greeted: boolean },
): Promise<AgreedExport> {
  if (!wanted.greeted) await greet(reader, socket);
  const structured = await ask(reader, socket, Option.structuredReply, Buffer.alloc(0));
  const structuredReplies = structured.error === null;
  const contexts = new Map<number, string>();
  if (structuredReplies && wanted.contexts.length > 0) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(wanted.contexts.length);
    const data = Buffer.concat([counted(wanted.name), count, ...wanted.contexts.map(counted)]);
    const replies = await requireAck(reader, socket, Option.setMetaContext, data);
    for (const { data: reply } of replies) contexts.set(reply.readUInt32BE(0), reply.toString('utf8', 4));
  }
  const request = Buffer.concat([counted(wanted.name), Buffer.from([0, 1, 0, Info.blockSize])]);
  const infos = await requireAck(reader, socket, Option.go, request);
  return { ...exportOf(infos), structuredReplies, contexts };
}

async function greet(reader: ByteReader, socket: Duplex): Promise<void> {
  const greeting = await reader.take(GREETING_BYTES);
  if (greeting.toString('latin1', 0, 16) !== 'NBDMAGICIHAVEOPT') throw new Error('not a newstyle NBD server');
  const offered = greeting.readUInt16BE(16);
  if ((offered & HandshakeFlag.fixedNewstyle) === 0) throw new Error('the server has no fixed newstyle');
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(offered & (HandshakeFlag.fixedNewstyle | HandshakeFlag.noZeroes));
  socket.write(flags);
}

interface DataReply {
  readonly type: number;
  readonly data: Buffer;
}

async function requireAck(
  reader: ByteReader,
  socket: Duplex,
  option: number,
  data: Buffer,
): Promise<DataReply[]> {
  const { replies, error } = await ask(reader, socket, option, data);
  if (error !== null) throw error;
  return replies;
}

/** Sends an option and gathers its replies up to the final one. */
async function ask(
  reader: ByteReader,
  socket: Duplex,
  option: number,
  data: Buffer,
): Promise<{ replies: DataReply[]; error: NbdOptionError | null }> {
  const header = Buffer.alloc(OPTION_HEADER_BYTES);
  header.writeUInt32BE(OPTION_MAGIC.high, 0);
  header.writeUInt32BE(OPTION_MAGIC.low, 4);
  header.writeUInt32BE(option, 8);
  header.writeUInt32BE(data.length, 12);
  socket.write(Buffer.concat([header, data]));
  const replies: DataReply[] = [];
  for (;;) {
    const reply = await reader.take(OPTION_REPLY_HEADER_BYTES);
    const type = reply.readUInt32BE(12);
    const payload = await reader.take(reply.readUInt32BE(16));
    if (type === OptionReply.ack) return { replies, error: null };
    if (type >= 0x80000000) {
      return { replies, error: new NbdOptionError(option, type, payload.toString('utf8')) };
    }
    replies.push({ type, data: payload });
  }
}

function exportOf(infos: readonly DataReply[]): Omit<AgreedExport, 'structuredReplies' | 'contexts'> {
  const find = (type: number): Buffer | undefined =>
    infos.find((info) => info.type === OptionReply.info && info.data.readUInt16BE(0) === type)?.data;
  const described = find(Info.export);
  if (described === undefined) throw new Error('the server did not describe the export');
  const sizes = find(Info.blockSize);
  return {
    sizeBytes: Number(described.readBigUInt64BE(2)),
    flags: described.readUInt16BE(10),
    minimumBlockBytes: sizes?.readUInt32BE(2) ?? 1,
    preferredBlockBytes: sizes?.readUInt32BE(6) ?? 4096,
    maximumPayloadBytes: sizes?.readUInt32BE(10) ?? 32 << 20,
  };
}

function counted(text: string): Buffer {
  const encoded = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(encoded.length);
  return Buffer.concat([length, encoded]);
}
