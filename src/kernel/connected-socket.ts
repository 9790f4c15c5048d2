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
  return result;
}

/** AF_* of the socket, or a negative errno. */
function socketFamily(fd: number): number {
  const address = new Uint8Array(SOCKADDR_STORAGE_BYTES);
  const result = getsockname(fd, address, Uint8Array.of(SOCKADDR_STORAGE_BYTES, 0, 0, 0));
  return result < 0 ? result : address[0]! + address[1]! * 256;
}

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
