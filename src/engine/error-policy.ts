import { ERRNO } from '../base/errno.js';

/**
 * The one map from errno to policy. Source: the kernel's blk_errors table (block/blk-core.c) as observed on real and
 * emulated drivers, shared/facts/abi.md section 3. docs/error-policy.md prints this table; a test compares the two.
 */
export type ErrorClass =
  /** These blocks, and only these, are the problem: retry, salvage, relocate. */
  | 'media'
  /** Could be the blocks or the whole device: as media, if the device still answers elsewhere (`breaker.ts`). */
  | 'mediaOrDevice'
  /** Nothing is wrong with disk or data: try again after a pause; leaves no remap. */
  | 'transient'
  /** The device is gone, unreachable or refuses to work: trip the breaker, burn no spares. */
  | 'device'
  /** The device has no space for this write (thin provisioning): an honest error, not a bad sector. */
  | 'space'
  /** The request itself is refused (unsupported, misaligned): an error to the caller, nothing learnt about the disk. */
  | 'protocol';

export type DataOperation = 'read' | 'write' | 'flush';

interface PolicyRow {
  readonly read: ErrorClass;
  readonly write: ErrorClass;
  readonly flush: ErrorClass;
  readonly cause: string;
}

const everywhere = (errorClass: ErrorClass, cause: string): PolicyRow => ({
  read: errorClass,
  write: errorClass,
  flush: errorClass,
  cause,
});

/** errno number -> what it means per operation. Errnos that are not listed are treated as EIO. */
export const ERROR_POLICY: ReadonlyMap<number, PolicyRow> = new Map([
  [
    ERRNO.ENODATA,
    {
      read: 'media',
      write: 'media',
      flush: 'device',
      cause: 'medium error (SCSI 3/11, ATA UNC, NVMe media)',
    },
  ],
  [
    ERRNO.EILSEQ,
    { read: 'media', write: 'media', flush: 'device', cause: 'protection information does not match' },
  ],
  [
    ERRNO.EIO,
    { read: 'mediaOrDevice', write: 'mediaOrDevice', flush: 'device', cause: 'anything else; ambiguous' },
  ],
  [
    ERRNO.EREMOTEIO,
    {
      read: 'mediaOrDevice',
      write: 'mediaOrDevice',
      flush: 'device',
      cause: 'the target refused (hardware error, illegal address)',
    },
  ],
  [
    ERRNO.ETIMEDOUT,
    { read: 'mediaOrDevice', write: 'mediaOrDevice', flush: 'device', cause: 'the driver gave up waiting' },
  ],
  [ERRNO.ENOLINK, everywhere('device', 'transport error, path lost')],
  [ERRNO.ENODEV, everywhere('device', 'device offline or gone')],
  [ERRNO.ENXIO, everywhere('device', 'device offline or gone')],
  [ERRNO.ESHUTDOWN, everywhere('device', 'device shut down')],
  [ERRNO.EBADE, everywhere('device', 'reserved by another host')],
  [ERRNO.EROFS, everywhere('device', 'read-only device')],
  [ERRNO.EPERM, everywhere('device', 'access denied by the device')],
  [ERRNO.EACCES, everywhere('device', 'access denied by the device')],
  [ERRNO.EBADF, everywhere('device', 'file no longer open')],
  [ERRNO.EAGAIN, everywhere('transient', 'busy')],
  [ERRNO.EBUSY, everywhere('transient', 'busy')],
  [ERRNO.EINTR, everywhere('transient', 'interrupted')],
  [ERRNO.ENOMEM, everywhere('transient', 'kernel short of memory')],
  [ERRNO.ENOBUFS, everywhere('transient', 'kernel short of memory')],
  [ERRNO.ETIME, everywhere('transient', 'command duration limit')],
  [ERRNO.EREMCHG, everywhere('transient', 'device-mapper asks for a requeue')],
  [
    ERRNO.ENOSPC,
    {
      read: 'device',
      write: 'space',
      flush: 'space',
      cause: 'thin pool full; or the device shrank to nothing',
    },
  ],
  [ERRNO.EDQUOT, everywhere('space', 'quota of the file system below exceeded')],
  [ERRNO.EFBIG, everywhere('space', 'file size limit')],
  [ERRNO.EOPNOTSUPP, everywhere('protocol', 'operation not supported')],
  [ERRNO.EINVAL, everywhere('protocol', 'misaligned or malformed request')],
  [ERRNO.EFAULT, everywhere('protocol', 'bad memory address')],
]);

export function classifyError(errno: number, operation: DataOperation): ErrorClass {
  const row = ERROR_POLICY.get(errno) ?? ERROR_POLICY.get(ERRNO.EIO);
  return row === undefined ? 'device' : row[operation];
}

/** Pauses before the 1st, 2nd, ... retry of the same I/O; the number of entries is the number of retries. */
export const RETRY_DELAYS_MS: Readonly<Record<'mediaRead' | 'mediaWrite' | 'transient', readonly number[]>> =
  {
    /** The drive has tried for seconds already; some sectors still come back on a later pass. */
    mediaRead: [0, 5, 20],
    mediaWrite: [0],
    transient: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
  };
