import { unreachable } from '../base/assert.js';
import { ERRNO, errnoName } from '../base/errno.js';

/** Why a device or file could not be opened. `errno` is positive, 0 where no system call failed. */
export interface OpenFailure {
  readonly kind: OpenFailureKind;
  readonly path: string;
  readonly errno: number;
}

export type OpenFailureKind =
  /** No such path. */
  | 'notFound'
  /** This user may not open it. */
  | 'denied'
  /** A block device that somebody holds exclusively: a mount, md, dm, LVM, another program. */
  | 'busy'
  /** Locked by flock: another dm-remap. */
  | 'locked'
  /** Opened for writing, but the device or its file system is read-only. */
  | 'readOnly'
  /** Neither a block device nor a regular file. */
  | 'notABlockDevice'
  /** Not one logical block in it; also an empty drive. */
  | 'tooSmall'
  /** Logical blocks that are not 512 to 4096 bytes. */
  | 'unsupportedBlockSize'
  /** The node exists, the device does not answer. */
  | 'gone'
  /** Anything else: see `errno`. */
  | 'system';

/** One line: what happened, to which path, and what can be done. */
export function describeOpenFailure(failure: OpenFailure): string {
  return `${failure.path}: ${explain(failure)}`;
}

function explain({ kind, path, errno }: OpenFailure): string {
  switch (kind) {
    case 'notFound':
      return 'no such device or file; check the path';
    case 'denied':
      return `not permitted (${errnoName(errno)}); run as root, and check a container's device rules`;
    case 'busy':
      return `in use (mounted, or held by another program); see "lsblk ${path}", unmount or stop what holds it`;
    case 'locked':
      return 'in use by another dm-remap (the file is locked); stop that one first';
    case 'readOnly':
      return 'read-only; make it writable ("blockdev --setrw", or the write-protect switch), or open it read-only';
    case 'notABlockDevice':
      return 'neither a block device nor a regular file; give a disk, a partition or an image file';
    case 'tooSmall':
      return 'holds not even one block; check that it is the right device, or make the file larger';
    case 'unsupportedBlockSize':
      return 'its logical block size is not supported; it has to be 512, 1024, 2048 or 4096 bytes';
    case 'gone':
      return `the device does not answer (${errnoName(errno)}); check cabling and the kernel log`;
    case 'system':
      return `can't be opened (${errnoName(errno)}); the kernel log may say more`;
    default:
      return unreachable(kind);
  }
}

/** The kind behind a failed system call; `errno` is positive. */
export function openFailure(path: string, errno: number): OpenFailure {
  return { kind: KIND_OF_ERRNO.get(errno) ?? 'system', path, errno };
}

const ENOTDIR = 20;
const ENOMEDIUM = 123;

const KIND_OF_ERRNO = new Map<number, OpenFailureKind>([
  [ERRNO.ENOENT, 'notFound'],
  [ENOTDIR, 'notFound'],
  [ERRNO.EACCES, 'denied'],
  [ERRNO.EPERM, 'denied'],
  [ERRNO.EBUSY, 'busy'],
  [ERRNO.EROFS, 'readOnly'],
  [ERRNO.ENXIO, 'gone'],
  [ERRNO.ENODEV, 'gone'],
  [ERRNO.EIO, 'gone'],
  [ENOMEDIUM, 'tooSmall'],
]);
