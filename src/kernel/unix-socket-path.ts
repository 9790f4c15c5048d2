import { lstatSync, type Stats, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { ERRNO } from '../base/errno.js';
import { close, connect, socket } from './ffi.js';
import { type ListenFailure, listenFailure } from './listener.js';
import { AF_UNIX, encodeUnixAddress, type UnixAddress } from './socket-address.js';

/**
 * Makes the path free for bind: a socket file that nobody accepts on (its server was killed) is removed. Undefined
 * when the path is free now. Between this and bind another program may still come first; bind then says so.
 */
export function clearUnixPath(address: UnixAddress): ListenFailure | undefined {
  const encoded = encodeUnixAddress(address.path);
  if (encoded === undefined) return { kind: 'pathTooLong', address, errno: 0 };
  const stats = statIfThere(address.path);
  if (stats === undefined) return missingDirectory(address);
  if (!stats.isSocket()) return { kind: 'notASocket', address, errno: 0 };
  if (!isStale(encoded)) return listenFailure(address, ERRNO.EADDRINUSE);
  return tryUnlink(address);
}

/** Names the file that is at the path now, so that only this one is removed later. */
export function fileIdentity(path: string): string {
  const stats = statIfThere(path);
  return stats === undefined ? '' : `${stats.dev}:${stats.ino}`;
}

/** Removes the socket file unless another one has taken its place. */
export function removeUnixPath(path: string, identity: string): void {
  if (identity === '' || fileIdentity(path) !== identity) return;
  tryUnlink({ kind: 'unix', path });
}

function statIfThere(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    // We may not look: bind will say why.
    return undefined;
  }
}

/** Told apart here because node's listen would call it EACCES. */
function missingDirectory(address: UnixAddress): ListenFailure | undefined {
  try {
    const stats = lstatSync(dirname(address.path), { throwIfNoEntry: false });
    return stats === undefined ? listenFailure(address, ERRNO.ENOENT) : undefined;
  } catch {
    // We may not look: bind will say why.
    return undefined;
  }
}

/** Refused means that no program has this file's socket open any more. */
function isStale(encoded: Uint8Array): boolean {
  const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const result = connect(fd, encoded);
  close(fd);
  return result === -ERRNO.ECONNREFUSED;
}

function tryUnlink(address: UnixAddress): ListenFailure | undefined {
  try {
    unlinkSync(address.path);
    return undefined;
  } catch (error) {
    return listenFailure(address, -((error as NodeJS.ErrnoException).errno ?? -ERRNO.EIO));
  }
}

const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
