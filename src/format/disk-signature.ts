import type { ReadBytes } from './foreign-signature.js';
import { hasBytesAt, latin1 } from './magic-signature.js';

/** ext2, ext3 or ext4, told apart by the features that only the later ones have. */
export function extSignature(read: ReadBytes): string | null {
  const superblock = read(EXT_SUPERBLOCK_OFFSET, 1024);
  if (superblock === undefined) return null;
  const view = viewOf(superblock);
  if (view.getUint16(56, true) !== 0xef53) return null;
  const incompat = view.getUint32(96, true);
  if ((incompat & EXT_INCOMPAT_JOURNAL_DEVICE) !== 0) return 'ext journal';
  const readOnlyCompat = view.getUint32(100, true);
  if ((incompat & ~EXT3_INCOMPAT) !== 0 || (readOnlyCompat & ~EXT3_READ_ONLY_COMPAT) !== 0) return 'ext4';
  return (view.getUint32(92, true) & EXT_COMPAT_HAS_JOURNAL) !== 0 ? 'ext3' : 'ext2';
}

/** The first table in LBA 1, or the second in the last LBA, for both sizes of logical block. */
export function gptSignature(read: ReadBytes, deviceSizeBytes: number): string | null {
  for (const blockBytes of [512, 4096]) {
    if (hasBytesAt(read, blockBytes, GPT_MAGIC)) return 'GPT partition table';
    if (hasBytesAt(read, deviceSizeBytes - blockBytes, GPT_MAGIC)) return 'GPT partition table (second copy)';
  }
  return null;
}

/** FAT12, FAT16 and FAT32: the boot sector's mark and the type in words. */
export function fatSignature(read: ReadBytes): string | null {
  if (!hasBytesAt(read, BOOT_MARK_OFFSET, BOOT_MARK)) return null;
  if (hasBytesAt(read, 82, latin1('FAT32   '))) return 'FAT32';
  return ['FAT12', 'FAT16'].find((name) => hasBytesAt(read, 54, latin1(`${name}   `))) ?? null;
}

/** A DOS partition table; or a boot sector without plausible partitions, which somebody wrote all the same. */
export function mbrSignature(read: ReadBytes): string | null {
  const sector = read(0, 512);
  if (sector === undefined || !hasBytesAt(read, BOOT_MARK_OFFSET, BOOT_MARK)) return null;
  const entries = [0, 1, 2, 3].map((index) => sector.subarray(446 + index * 16, 446 + (index + 1) * 16));
  const plausible = entries.every((entry) => entry[0] === 0 || entry[0] === 0x80);
  const used = entries.filter((entry) => entry[4] !== 0 && viewOf(entry).getUint32(12, true) !== 0);
  if (!plausible || used.length === 0) return 'boot sector';
  return used.some((entry) => entry[4] === MBR_TYPE_GPT)
    ? 'GPT partition table (protective MBR)'
    : 'MBR partition table';
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const EXT_SUPERBLOCK_OFFSET = 1024;
const EXT_COMPAT_HAS_JOURNAL = 0x4;
const EXT_INCOMPAT_JOURNAL_DEVICE = 0x8;
/** filetype, recover, meta_bg. */
const EXT3_INCOMPAT = 0x2 | 0x4 | 0x10;
/** sparse_super, large_file, btree_dir. */
const EXT3_READ_ONLY_COMPAT = 0x1 | 0x2 | 0x4;
const GPT_MAGIC = latin1('EFI PART');
const BOOT_MARK_OFFSET = 510;
const BOOT_MARK = latin1('\x55\xaa');
const MBR_TYPE_GPT = 0xee;
