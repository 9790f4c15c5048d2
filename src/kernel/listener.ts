import { unreachable } from '../base/assert.js';
import { ERRNO, errnoName } from '../base/errno.js';
import type { ByteStream } from '../ports/byte-stream.js';
import { type SocketAddress, socketAddressText } from './socket-address.js';

/** A socket that takes connections. */
export interface Listener {
  /** Where it really listens: with the port that the kernel chose. */
  readonly address: SocketAddress;
  /**
   * Takes no more connections and removes the socket file; those that exist live on. `whenClosed` comes later, once.
   */
  close(whenClosed: () => void): void;
}

/** What becomes of connections. */
export interface ListenerEvents {
  onConnection(stream: ByteStream): void;
  /** Something that a person should know; the listener goes on. One line. */
  onProblem(message: string): void;
}

/** Why nobody can listen there. */
export interface ListenFailure {
  readonly kind: ListenFailureKind;
  readonly address: SocketAddress;
  /** Positive; 0 where the kernel was not asked. */
  readonly errno: number;
}

export type ListenFailureKind =
  | 'inUse'
  | 'denied'
  | 'noDirectory'
  | 'notASocket'
  | 'pathTooLong'
  | 'notAnAddress'
  | 'notLocal'
  | 'other';

/** The kind that goes with an errno of socket, bind or listen. */
export function listenFailure(address: SocketAddress, errno: number): ListenFailure {
  return { kind: KIND_BY_ERRNO[errno] ?? 'other', address, errno };
}

/** One line: what, where, what to do. */
export function listenFailureText({ kind, address, errno }: ListenFailure): string {
  return `cannot listen on ${socketAddressText(address)}: ${reason(kind, errno)}`;
}

const KIND_BY_ERRNO: Readonly<Record<number, ListenFailureKind>> = {
  [ERRNO.EADDRINUSE]: 'inUse',
  [ERRNO.EACCES]: 'denied',
  [ERRNO.EPERM]: 'denied',
  [ERRNO.EROFS]: 'denied',
  [ERRNO.ENOENT]: 'noDirectory',
  [ERRNO.ENOTDIR]: 'noDirectory',
  [ERRNO.EADDRNOTAVAIL]: 'notLocal',
  [ERRNO.EAFNOSUPPORT]: 'notLocal',
};

function reason(kind: ListenFailureKind, errno: number): string {
  switch (kind) {
    case 'inUse':
      return 'another program listens there; stop it or choose another address';
    case 'denied':
      return 'permission denied; choose a directory you may write to, or a port from 1024 up';
    case 'noDirectory':
      return 'its directory does not exist; create it first';
    case 'notASocket':
      return 'a file that is not a socket is there, and is left alone; choose a path at which nothing is';
    case 'pathTooLong':
      return 'a socket path has 1 to 107 bytes; choose a shorter one';
    case 'notAnAddress':
      return 'the host must be an IPv4 or IPv6 address';
    case 'notLocal':
      return 'this machine does not have that address';
    case 'other':
      return errnoName(errno);
    default:
      return unreachable(kind);
  }
}
