import { ERRNO, errnoName } from '../base/errno.js';
import { failed, ok, type Result } from '../base/result.js';
import { close, sendto, socket } from './ffi.js';
import { AF_UNIX, encodeAbstractAddress, encodeUnixAddress } from './socket-address.js';

/** Why the service manager was not told. */
export interface NotificationFailure {
  readonly socketName: string;
  readonly reason: string;
}

/**
 * Tells the service manager how this process is, as sd_notify(3) does: one datagram of VARIABLE=VALUE lines to the
 * socket that it named in NOTIFY_SOCKET. A name with `@` at the start is in the abstract namespace. Waits while the
 * receiver's queue is full.
 */
export function notifyServiceManager(
  socketName: string,
  variables: readonly string[],
): Result<void, NotificationFailure> {
  const address = encodeSocketName(socketName);
  if (address === undefined) return failed({ socketName, reason: 'neither a path nor an abstract name' });
  const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed({ socketName, reason: errnoName(-fd) });
  const result = sendWhole(fd, Buffer.from(variables.join('\n')), address);
  close(fd);
  return result < 0 ? failed({ socketName, reason: errnoName(-result) }) : ok(undefined);
}

/** systemd also knows `vsock:` names, for virtual machines as a whole; they are not for a service. */
function encodeSocketName(socketName: string): Uint8Array | undefined {
  if (socketName.startsWith('@')) return encodeAbstractAddress(socketName.slice(1));
  return socketName.startsWith('/') ? encodeUnixAddress(socketName) : undefined;
}

/** A datagram goes as a whole or not at all. */
function sendWhole(fd: number, data: Uint8Array, address: Uint8Array): number {
  for (;;) {
    const result = sendto(fd, data, MSG_NOSIGNAL, address);
    if (result !== -ERRNO.EINTR) return result;
  }
}

const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x80000;
const MSG_NOSIGNAL = 0x4000;
