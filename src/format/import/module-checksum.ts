import { crc32 } from '../../base/crc32.js';

/**
 * The checksum of the kernel module: the kernel's crc32(), which starts from 0 and inverts nothing, so it is not the
 * usual CRC-32 of the same bytes. `previous` continues an earlier stretch. Compared with both sample images.
 */
export function moduleChecksum(bytes: Uint8Array, previous = 0): number {
  return (crc32(bytes, ~previous >>> 0) ^ 0xffff_ffff) >>> 0;
}
