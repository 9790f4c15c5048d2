import { createServer, type Server, type Socket } from 'node:net';
import { ERRNO } from '../../../../src/base/errno.js';
import {
  Command,
  CommandFlag,
  GREETING_BYTES,
  HandshakeFlag,
  Info,
  NBD_MAGIC,
  OPTION_HEADER_BYTES,
  OPTION_MAGIC,
  OPTION_REPLY_HEADER_BYTES,
  OPTION_REPLY_MAGIC,
  Option,
  OptionReply,
  REQUEST_HEADER_BYTES,
  REQUEST_MAGIC,
  SIMPLE_REPLY_BYTES,
  SIMPLE_REPLY_MAGIC,
  TransmissionFlag,
} from '../../../../src/frontends/nbd/protocol.js';

/** What is served: everything happens at once. Offsets and lengths are whole blocks inside the disk. */
export interface ServedDisk {
  readonly sizeBytes: number;
  readonly blockBytes: number;
  read(offsetBytes: number, lengthBytes: number): Buffer;
  write(offsetBytes: number, data: Buffer, durable: boolean): void;
  flush(): void;
}

/** As much of an NBD server as QEMU needs of a disk: fixed newstyle, GO, simple replies, flush and FUA. */
export function serveDisk(disk: ServedDisk, socketPath: string): Promise<Server> {
  const server = createServer((socket) => {
    const client = converse(disk, socket);
    client.next();
    let rest: Buffer = Buffer.alloc(0);
    let wantedBytes = CLIENT_FLAGS_BYTES;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (rest.length >= wantedBytes) {
        const taken = rest.subarray(0, wantedBytes);
        rest = rest.subarray(wantedBytes);
        const step = client.next(taken);
        if (step.done) {
          socket.end();
          return;
        }
        wantedBytes = step.value;
      }
    });
  });
  return new Promise((resolve) => server.listen(socketPath, () => resolve(server)));
}

/** The conversation with one client: yields how many bytes it needs next, and gets them. */
function* converse(disk: ServedDisk, socket: Socket): Generator<number, void, Buffer> {
  const greeting = Buffer.alloc(GREETING_BYTES);
  greeting.writeUInt32BE(NBD_MAGIC.high, 0);
  greeting.writeUInt32BE(NBD_MAGIC.low, 4);
  greeting.writeUInt32BE(OPTION_MAGIC.high, 8);
  greeting.writeUInt32BE(OPTION_MAGIC.low, 12);
  greeting.writeUInt16BE(HandshakeFlag.fixedNewstyle | HandshakeFlag.noZeroes, 16);
  socket.write(greeting);
  yield CLIENT_FLAGS_BYTES;
  if (!(yield* agree(disk, socket))) return;
  while (yield* serveRequest(disk, socket));
}

/** Options, up to the one that ends them; false: the client went away. */
function* agree(disk: ServedDisk, socket: Socket): Generator<number, boolean, Buffer> {
  for (;;) {
    const header = yield OPTION_HEADER_BYTES;
    const option = header.readUInt32BE(8);
    const lengthBytes = header.readUInt32BE(12);
    if (lengthBytes > 0) yield lengthBytes;
    const reply = (type: number, data: Buffer = Buffer.alloc(0)): boolean =>
      socket.write(optionReply(option, type, data));
    if (option === Option.abort) {
      reply(OptionReply.ack);
      return false;
    }
    if (option !== Option.go && option !== Option.info) {
      reply(OptionReply.unsupported);
      continue;
    }
    reply(OptionReply.info, exportInfo(disk));
    reply(OptionReply.info, blockSizeInfo(disk));
    reply(OptionReply.ack);
    if (option === Option.go) return true;
  }
}

/** False: the client is done. */
function* serveRequest(disk: ServedDisk, socket: Socket): Generator<number, boolean, Buffer> {
  const header = yield REQUEST_HEADER_BYTES;
  if (header.readUInt32BE(0) !== REQUEST_MAGIC) return false;
  const flags = header.readUInt16BE(4);
  const type = header.readUInt16BE(6);
  const cookie = Buffer.from(header.subarray(8, 16));
  const offsetBytes = Number(header.readBigUInt64BE(16));
  const lengthBytes = header.readUInt32BE(24);
  const reply = (errno: number): boolean => socket.write(simpleReply(cookie, errno));
  switch (type) {
    case Command.disconnect:
      return false;
    case Command.read:
      reply(0);
      return socket.write(disk.read(offsetBytes, lengthBytes)) || true;
    case Command.write:
      // The cache keeps it: a copy, because the received piece is larger.
      disk.write(offsetBytes, Buffer.from(yield lengthBytes), (flags & CommandFlag.fua) !== 0);
      return reply(0) || true;
    case Command.flush:
      disk.flush();
      return reply(0) || true;
    default:
      return reply(ERRNO.EINVAL) || true;
  }
}

function optionReply(option: number, type: number, data: Buffer): Buffer {
  const header = Buffer.alloc(OPTION_REPLY_HEADER_BYTES);
  header.writeUInt32BE(OPTION_REPLY_MAGIC.high, 0);
  header.writeUInt32BE(OPTION_REPLY_MAGIC.low, 4);
  header.writeUInt32BE(option, 8);
  header.writeUInt32BE(type, 12);
  header.writeUInt32BE(data.length, 16);
  return Buffer.concat([header, data]);
}

function exportInfo({ sizeBytes }: ServedDisk): Buffer {
  const info = Buffer.alloc(12);
  info.writeUInt16BE(Info.export, 0);
  info.writeBigUInt64BE(BigInt(sizeBytes), 2);
  info.writeUInt16BE(TransmissionFlag.hasFlags | TransmissionFlag.sendFlush | TransmissionFlag.sendFua, 10);
  return info;
}

function blockSizeInfo({ blockBytes }: ServedDisk): Buffer {
  const info = Buffer.alloc(14);
  info.writeUInt16BE(Info.blockSize, 0);
  info.writeUInt32BE(blockBytes, 2);
  info.writeUInt32BE(4096, 6);
  info.writeUInt32BE(32 << 20, 10);
  return info;
}

function simpleReply(cookie: Buffer, errno: number): Buffer {
  const reply = Buffer.alloc(SIMPLE_REPLY_BYTES);
  reply.writeUInt32BE(SIMPLE_REPLY_MAGIC, 0);
  reply.writeUInt32BE(errno, 4);
  cookie.copy(reply, 8);
  return reply;
}

const CLIENT_FLAGS_BYTES = 4;
