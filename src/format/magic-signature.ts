import type { ReadBytes } from './foreign-signature.js';

/** Formats that fixed bytes at a fixed place identify. */
export function magicSignatures(read: ReadBytes): string | null {
  for (const { offsetBytes, magic, name } of MAGICS) {
    if (hasBytesAt(read, offsetBytes, magic)) return name;
  }
  return null;
}

/** Do these bytes lie at this place? False where it can't be read. */
export function hasBytesAt(read: ReadBytes, offsetBytes: number, expected: Uint8Array): boolean {
  if (offsetBytes < 0) return false;
  const found = read(offsetBytes, expected.length);
  return found !== undefined && expected.every((byte, index) => found[index] === byte);
}

/** The bytes of a text; every character is one byte. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

interface Magic {
  readonly offsetBytes: number;
  readonly magic: Uint8Array;
  readonly name: string;
}

function magicAt(offsetBytes: number, text: string, name: string): Magic {
  return { offsetBytes, magic: latin1(text), name };
}

/** The swap header's magic is the last thing in its first page, whose size is the machine's. */
const SWAP_PAGE_BYTES = [4096, 8192, 16384, 65536];

/** LUKS2 keeps a second header at one of these places; it survives when the first one is overwritten. */
const LUKS2_SECOND_HEADERS = [0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000];

const MAGICS: readonly Magic[] = [
  magicAt(0, 'LUKS\xba\xbe', 'LUKS encryption'),
  ...LUKS2_SECOND_HEADERS.map((at) => magicAt(at, 'SKUL\xba\xbe', 'LUKS encryption (second header)')),
  magicAt(4096 + 24, '\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81', 'bcache'),
  magicAt(4096 + 24, '\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef', 'bcachefs'),
  magicAt(0, 'dmvdo001', 'VDO volume'),
  magicAt(0, 'integrt\0', 'dm-integrity'),
  magicAt(0, 'XFSB', 'xfs'),
  magicAt(0x10040, '_BHRfS_M', 'btrfs'),
  magicAt(1024, '\x10\x20\xf5\xf2', 'f2fs'),
  magicAt(1024, '\xe2\xe1\xf5\xe0', 'erofs'),
  magicAt(1024, 'H+\0', 'HFS+'),
  magicAt(1024, 'HX\0', 'HFS+'),
  magicAt(32, 'NXSB', 'APFS'),
  magicAt(3, 'NTFS    ', 'ntfs'),
  magicAt(3, '-FVE-FS-', 'BitLocker encryption'),
  magicAt(3, 'EXFAT   ', 'exfat'),
  magicAt(0, 'hsqs', 'squashfs'),
  magicAt(0x8000, 'JFS1', 'jfs'),
  magicAt(0x10000 + 52, 'ReIsEr', 'reiserfs'),
  magicAt(0x8001, 'CD001', 'ISO 9660 image'),
  ...SWAP_PAGE_BYTES.map((page) => magicAt(page - 10, 'SWAPSPACE2', 'swap space')),
  ...SWAP_PAGE_BYTES.map((page) => magicAt(page - 10, 'SWAP-SPACE', 'swap space')),
  magicAt(0, 'QFI\xfb', 'qcow2 disk image'),
  magicAt(0, 'vhdxfile', 'VHDX disk image'),
  magicAt(0, 'KDMV', 'VMDK disk image'),
];
