import { closeSync, openSync, readSync } from 'node:fs';
import { failed, ok, type Result } from '../base/result.js';
import type { Machine } from '../boot/machine.js';
import { findBtrfsFiles } from './lost-files-btrfs.js';
import { findExtFiles } from './lost-files-ext.js';
import { findXfsFiles } from './lost-files-xfs.js';

/**
 * Which files lost sectors belong to, by the tools of the file system. `path`: where the protected device can be read; the
 * main device itself would show old metadata where some was moved. One line says why it can't be known.
 */
export function findLostFiles(
  path: string,
  sectors: readonly number[],
  machine: Machine,
): Result<LostFiles, string> {
  const kind = fileSystemOn(path);
  if (!kind.ok) return kind;
  switch (kind.value) {
    case 'ext':
      return findExtFiles(path, sectors, machine);
    case 'xfs':
      return findXfsFiles(path, sectors, machine);
    case 'btrfs':
      return findBtrfsFiles(path, sectors, machine);
    default:
      return failed(
        `${path}: holds ${kind.value.other}; files are found on ext2, ext3, ext4, XFS and btrfs only`,
      );
  }
}

export interface LostFiles {
  /** `path`: below the root of the file system, one of its names; null: none, as the journal has none. */
  readonly files: readonly LostFile[];
  /** Free space, or the file system's own. */
  readonly sectorsOfNoFile: readonly number[];
}

export interface LostFile {
  readonly inode: number;
  readonly path: string | null;
  readonly sectors: readonly number[];
}

/** Where their magic numbers are: Linux, include/uapi/linux/magic.h and the headers of each file system. */
function fileSystemOn(path: string): Result<FileSystem, string> {
  const head = Buffer.alloc(HEAD_BYTES);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, head, 0, HEAD_BYTES, 0);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return failed(`${path}: can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (head.readUInt16LE(1080) === 0xef53) return ok('ext');
  if (head.toString('latin1', 0, 4) === 'XFSB') return ok('xfs');
  if (head.toString('latin1', 65_600, 65_608) === '_BHRfS_M') return ok('btrfs');
  if (head.readUInt16LE(510) === 0xaa55)
    return ok({ other: 'a partition table, or a boot sector; a partition on it is not looked into' });
  return ok({ other: 'no file system that is known' });
}

type FileSystem = 'ext' | 'xfs' | 'btrfs' | { readonly other: string };

const HEAD_BYTES = 65_608;
