import { fcntl, getsockname, setsockopt } from './ffi.js';

/**
 * Makes a connected socket fit for a ring: close-on-exec, blocking (on a non-blocking one the ring would answer
 * EAGAIN instead of waiting), and TCP without Nagle's delay. Returns 0 or a negative errno (-ENOTSOCK, -EBADF).
 */
export function prepareSocket(fd: number): number {
  const family = socketFamily(fd);
  if (family < 0) return family;
  const flags = fcntl(fd, F_GETFL, 0);
  if (flags < 0) return flags;
  if ((flags & O_NONBLOCK) !== 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  const result = fcntl(fd, F_SETFD, FD_CLOEXEC);
  // Refused on other protocols of these families, where it means nothing.
  if (family === AF_INET || family === AF_INET6) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ONE);
  enlargeSendBuffer(fd);
  return result;
}

/**
 * Room for replies of whole megabytes, so that one send hands them over without waiting for the reader piece by piece:
 * a unix socket counts as writable again only when three quarters of its buffer are empty. More than
 * net.core.wmem_max is for the privileged only.
 */
function enlargeSendBuffer(fd: number): void {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setInt32(0, SEND_BUFFER_BYTES, true);
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, size) < 0) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, size);
}

/** AF_* of the socket, or a negative errno. */
function socketFamily(fd: number): number {
  const address = new Uint8Array(SOCKADDR_STORAGE_BYTES);
  const result = getsockname(fd, address, Uint8Array.of(SOCKADDR_STORAGE_BYTES, 0, 0, 0));
  return result < 0 ? result : address[0]! + address[1]! * 256;
}

/** The kernel doubles it for its own bookkeeping. */
const SEND_BUFFER_BYTES = 2 << 20;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_SNDBUFFORCE = 32;
const SOCKADDR_STORAGE_BYTES = 128;
const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const FD_CLOEXEC = 1;
const O_NONBLOCK = 0x800;
const ONE = Uint8Array.of(1, 0, 0, 0);
