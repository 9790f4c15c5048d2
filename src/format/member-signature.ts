import { alignDown, SECTOR_BYTES } from '../base/units.js';
import type { ReadBytes } from './foreign-signature.js';
import { hasBytesAt, latin1 } from './magic-signature.js';

/** A member of a Linux software RAID (md); the version decides where its superblock is (md(4), mdadm super0/super1.c). */
export function mdSignature(read: ReadBytes, deviceSizeBytes: number): string | null {
  if (isMdVersion1(read, 4096)) return `${MD_NAME} 1.2`;
  if (isMdVersion1(read, 0)) return `${MD_NAME} 1.1`;
  const endOffset = alignDown(alignDown(deviceSizeBytes, SECTOR_BYTES) - 8192, 4096);
  if (isMdVersion1(read, endOffset)) return `${MD_NAME} 1.0`;
  const oldOffset = alignDown(deviceSizeBytes, 65536) - 65536;
  const isOld = hasBytesAt(read, oldOffset, MD_MAGIC) || hasBytesAt(read, oldOffset, MD_MAGIC_BIG_ENDIAN);
  return isOld ? `${MD_NAME} 0.90` : null;
}

/** The label of an LVM physical volume is in one of the first four sectors. */
export function lvmSignature(read: ReadBytes): string | null {
  for (let sector = 0; sector < 4; sector += 1) {
    const offset = sector * SECTOR_BYTES;
    if (!hasBytesAt(read, offset, latin1('LABELONE'))) continue;
    if (hasBytesAt(read, offset + 24, latin1('LVM2 001'))) return 'LVM physical volume';
  }
  return null;
}

/** Four labels, two at each end; an uberblock in any of them is enough. */
export function zfsSignature(read: ReadBytes, deviceSizeBytes: number): string | null {
  const end = alignDown(deviceSizeBytes, ZFS_LABEL_BYTES);
  const labels = [0, ZFS_LABEL_BYTES, end - 2 * ZFS_LABEL_BYTES, end - ZFS_LABEL_BYTES];
  return labels.some((offset) => offset >= 0 && hasUberblock(read, offset)) ? 'ZFS pool member' : null;
}

/** Spares of the dm-remap kernel module: version 4 keeps five copies, version 3 one. */
export function moduleSignature(read: ReadBytes): string | null {
  if (hasBytesAt(read, 0, latin1('DMREMAP3'))) return 'a spare of the dm-remap kernel module (version 3)';
  for (let copy = 0; copy < 5; copy += 1) {
    const offset = copy * MODULE_COPY_STEP_BYTES;
    if (hasBytesAt(read, offset, MODULE_MAGIC)) return 'a spare of the dm-remap kernel module (version 4)';
  }
  return null;
}

/** Magic, major version 1, and the superblock's own idea of where it is. */
function isMdVersion1(read: ReadBytes, offsetBytes: number): boolean {
  if (!hasBytesAt(read, offsetBytes, MD_MAGIC_AND_MAJOR_1)) return false;
  const place = read(offsetBytes + 144, 8);
  if (place === undefined) return false;
  const view = new DataView(place.buffer, place.byteOffset, place.byteLength);
  return view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32 === offsetBytes / SECTOR_BYTES;
}

function hasUberblock(read: ReadBytes, labelOffset: number): boolean {
  const ring = read(labelOffset + ZFS_RING_OFFSET, ZFS_LABEL_BYTES - ZFS_RING_OFFSET);
  if (ring === undefined) return false;
  const view = new DataView(ring.buffer, ring.byteOffset, ring.byteLength);
  for (let offset = 0; offset < ring.length; offset += ZFS_UBERBLOCK_STEP_BYTES) {
    if (view.getUint32(offset, true) === ZFS_MAGIC && view.getUint32(offset + 4, true) === 0) return true;
    if (view.getUint32(offset, false) === 0 && view.getUint32(offset + 4, false) === ZFS_MAGIC) return true;
  }
  return false;
}

const MD_NAME = 'Linux RAID member (md), metadata';
const MD_MAGIC = latin1('\xfc\x4e\x2b\xa9');
const MD_MAGIC_BIG_ENDIAN = latin1('\xa9\x2b\x4e\xfc');
const MD_MAGIC_AND_MAJOR_1 = latin1('\xfc\x4e\x2b\xa9\x01\0\0\0');
const ZFS_LABEL_BYTES = 256 << 10;
/** The ring of uberblocks is the second half of a label. */
const ZFS_RING_OFFSET = 128 << 10;
const ZFS_UBERBLOCK_STEP_BYTES = 1024;
const ZFS_MAGIC = 0x00bab10c;
/** 0x444d5234, little endian. */
const MODULE_MAGIC = latin1('4RMD');
const MODULE_COPY_STEP_BYTES = 128 << 10;
