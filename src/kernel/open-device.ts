import { constants, fstatSync, type Stats, statSync } from 'node:fs';
import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import { failed, ok, type Result } from '../base/result.js';
import type { Geometry } from '../ports/block-store.js';
import { mapMemory } from './aligned-memory.js';
import { blockDeviceGeometry, fileGeometry, isSupportedBlock } from './device-geometry.js';
import { close, flock, open, pread } from './ffi.js';
import { isMemoryFile } from './memory-file.js';
import { type OpenFailure, openFailure } from './open-failure.js';

export interface OpenOptions {
  readonly readOnly: boolean;
  /** What can't be opened for writing because it is read-only is opened for reading: every write to it fails then. */
  readonly takesReadOnly?: boolean;
  /**
   * Nobody else may hold it: O_EXCL on a block device (against mounts and other holders) and an exclusive flock
   * on either kind (against another dm-remap). False only to look at a device that may be in use.
   */
  readonly exclusive: boolean;
  /** Smallest I/O of a regular file, 512 (default) to 4096; a block device has its own. */
  readonly fileLogicalBlockBytes?: number;
  /** Wait up to a second for somebody else's lock on a block device; default true. */
  readonly waitForLock?: boolean;
}

/** An open device or file with what is known about it; give it to a store, or to `closeDevice`. */
export interface OpenDevice {
  readonly fd: number;
  readonly path: string;
  readonly kind: DeviceKind;
  /** Opened with O_DIRECT: I/O goes past the page cache. */
  readonly direct: boolean;
  readonly geometry: Geometry;
  /** For messages: the path, and model and serial where there are any. */
  readonly description: string;
  /** The descriptor is that of another store, which outlives this one; a store of this closes nothing. */
  readonly isBorrowed?: boolean;
}

export type DeviceKind = 'blockDevice' | 'file';

/**
 * Opens a block device or a regular file for block I/O, with O_DIRECT where it works. Tapes, terminals, directories
 * and the like are refused before they are opened, because opening some of them has effects.
 */
export function openDevice(path: string, options: OpenOptions): Result<OpenDevice, OpenFailure> {
  const device = openAsAsked(path, options);
  const isReadOnly = !device.ok && device.error.kind === 'readOnly';
  return isReadOnly && options.takesReadOnly === true
    ? openAsAsked(path, { ...options, readOnly: true })
    : device;
}

function openAsAsked(path: string, options: OpenOptions): Result<OpenDevice, OpenFailure> {
  const logicalBlockBytes = options.fileLogicalBlockBytes ?? 512;
  assert(isSupportedBlock(logicalBlockBytes), 'a logical block is 512 to 4096 bytes');
  const kind = kindOfPath(path);
  if (!kind.ok) return kind;
  const handle = openBestMode(path, kind.value, options, logicalBlockBytes);
  if (!handle.ok) return handle;
  const device = examine(path, kind.value, options, handle.value, logicalBlockBytes);
  if (!device.ok) close(handle.value.fd);
  return device;
}

/** Closes a device that was not given to a store; ends the lock. */
export function closeDevice(device: OpenDevice): void {
  close(device.fd);
}

interface Handle {
  readonly fd: number;
  readonly direct: boolean;
}

function kindOfPath(path: string): Result<DeviceKind, OpenFailure> {
  try {
    return kindOf(path, statSync(path));
  } catch (error) {
    return failed(openFailure(path, errnoOf(error)));
  }
}

function kindOf(path: string, stats: Stats): Result<DeviceKind, OpenFailure> {
  if (stats.isBlockDevice()) return ok('blockDevice');
  if (stats.isFile()) return ok('file');
  return failed({ kind: 'notABlockDevice', path, errno: 0 });
}

/** node:fs throws errors that carry a negative errno; anything else is not ours to handle. */
function errnoOf(error: unknown): number {
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') return -error.errno;
  throw error;
}

function openBestMode(
  path: string,
  kind: DeviceKind,
  options: OpenOptions,
  logicalBlockBytes: number,
): Result<Handle, OpenFailure> {
  const flags = openFlags(kind, options);
  const directFd = open(path, flags | constants.O_DIRECT, 0);
  if (directFd >= 0) {
    if (kind === 'blockDevice' || directWorks(directFd, logicalBlockBytes)) {
      return ok({ fd: directFd, direct: true });
    }
    close(directFd);
  } else if (directFd !== -ERRNO.EINVAL) {
    return failed(openFailure(path, -directFd));
  }
  const fd = open(path, flags, 0);
  return fd < 0 ? failed(openFailure(path, -fd)) : ok({ fd, direct: false });
}

/** O_EXCL without O_CREAT means something for block devices only. */
function openFlags(kind: DeviceKind, options: OpenOptions): number {
  const access = options.readOnly ? constants.O_RDONLY : constants.O_RDWR;
  const exclusive = options.exclusive && kind === 'blockDevice' ? constants.O_EXCL : 0;
  return access | exclusive | O_CLOEXEC;
}

/**
 * Some file systems take O_DIRECT at open and refuse the I/O, or want larger blocks than ours. A file in memory
 * gains nothing by it and would only need aligned memory. Errors other than EINVAL are about the medium.
 */
function directWorks(fd: number, logicalBlockBytes: number): boolean {
  if (isMemoryFile(fd)) return false;
  const trial = mapMemory(logicalBlockBytes);
  try {
    return pread(fd, trial.address, logicalBlockBytes, 0) !== -ERRNO.EINVAL;
  } finally {
    trial.unmap();
  }
}

/** Everything that is asked through the open file, where the path can no longer be swapped under us. */
function examine(
  path: string,
  kind: DeviceKind,
  options: OpenOptions,
  { fd, direct }: Handle,
  logicalBlockBytes: number,
): Result<OpenDevice, OpenFailure> {
  const stats = fstatSync(fd);
  const openKind = kindOf(path, stats);
  if (!openKind.ok) return openKind;
  if (openKind.value !== kind) return failed({ kind: 'notABlockDevice', path, errno: 0 });
  if (options.exclusive) {
    const locked = lock(fd, kind === 'blockDevice' && options.waitForLock !== false);
    if (locked < 0) return failed(lockFailure(path, -locked));
  }
  const geometry =
    kind === 'blockDevice'
      ? blockDeviceGeometry(path, fd, stats.rdev, options.readOnly, direct)
      : fileGeometry(path, stats.size, options.readOnly, direct, logicalBlockBytes);
  if (!geometry.ok) return geometry;
  return ok({
    fd,
    path,
    kind,
    direct,
    geometry: geometry.value,
    description: describe(path, geometry.value),
  });
}

/**
 * 0 or a negative errno. udev locks a block device for the moment it probes it, which it does after every close of
 * a writer, hence the patience there (systemd "Locking Block Device Access").
 */
function lock(fd: number, isPatient: boolean): number {
  const attempts = isPatient ? LOCK_ATTEMPTS : 1;
  let result = 0;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) sleep(LOCK_RETRY_MS);
    result = flock(fd, LOCK_EX | LOCK_NB);
    if (result !== -ERRNO.EAGAIN) return result;
  }
  return result;
}

function lockFailure(path: string, errno: number): OpenFailure {
  return errno === ERRNO.EAGAIN ? { kind: 'locked', path, errno } : openFailure(path, errno);
}

function sleep(delayMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delayMs);
}

function describe(path: string, { identity }: Geometry): string {
  const parts = [identity.model, identity.serial === '' ? '' : `serial ${identity.serial}`];
  const known = parts.filter((part) => part !== '').join(', ');
  return known === '' ? path : `${path} (${known})`;
}

/** asm-generic/fcntl.h; the same on x86-64 and arm64, and not among Node's constants. */
const O_CLOEXEC = 0x8_0000;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_ATTEMPTS = 20;
const LOCK_RETRY_MS = 50;
