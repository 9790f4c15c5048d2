import { failed, ok, type Result } from '../base/result.js';
import { bind, close, getsockname, listen, setsockopt, socket } from './ffi.js';
import { type ListenFailure, listenFailure } from './listener.js';
import {
  AF_UNIX,
  encodedPort,
  encodeTcpAddress,
  encodeUnixAddress,
  type SocketAddress,
} from './socket-address.js';
import { clearUnixPath } from './unix-socket-path.js';

/** A blocking socket in the state of listening, and where it listens (the real port). */
export interface ListeningSocket {
  readonly fd: number;
  readonly address: SocketAddress;
}

export function openListeningSocket(address: SocketAddress): Result<ListeningSocket, ListenFailure> {
  if (address.kind === 'unix') {
    const failure = clearUnixPath(address);
    if (failure !== undefined) return failed(failure);
  }
  const encoded = address.kind === 'unix' ? encodeUnixAddress(address.path) : encodeTcpAddress(address);
  if (encoded === undefined) return failed({ kind: 'notAnAddress', address, errno: 0 });
  const family = encoded[0]!;
  const fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(listenFailure(address, -fd));
  if (family !== AF_UNIX) prepareForTcp(fd);
  const bound = bind(fd, encoded);
  const result = bound < 0 ? bound : listen(fd, BACKLOG);
  if (result < 0) {
    close(fd);
    return failed(listenFailure(address, -result));
  }
  return ok({ fd, address: address.kind === 'unix' ? address : { ...address, port: boundPort(fd) } });
}

/**
 * A restarted server must not wait for old connections in TIME_WAIT. And an idle client may stay for ever, so it is the
 * kernel that has to find out that its machine is gone; connections have this from the socket they were accepted on.
 */
function prepareForTcp(fd: number): void {
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ONE);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, ONE);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, IDLE_SECONDS);
}

function boundPort(fd: number): number {
  const encoded = new Uint8Array(28);
  getsockname(fd, encoded, Uint8Array.of(encoded.byteLength, 0, 0, 0));
  return encodedPort(encoded);
}

const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_KEEPALIVE = 9;
const IPPROTO_TCP = 6;
const TCP_KEEPIDLE = 4;
/** Then it asks nine times, every 75 seconds (tcp(7)): a network may be away for ten minutes. */
const IDLE_SECONDS = Uint8Array.of(300 & 0xff, 300 >> 8, 0, 0);
const BACKLOG = 128;
const ONE = Uint8Array.of(1, 0, 0, 0);
