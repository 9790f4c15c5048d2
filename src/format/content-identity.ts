import type { ReadBytes } from './foreign-signature.js';
import { hasBytesAt, latin1 } from './magic-signature.js';

/**
 * What tells the contents of a disk from those of any other: the UUIDs that file systems, partition tables and the like drew when
 * they were made, in one text. A copy has the same; whoever formats or partitions the disk anew gives it others. Null
 * where nothing of this kind is there. `read` as for `recognise`; it asks for nothing behind `CONTENT_IDENTITY_BYTES`.
 *
 * Sources: util-linux libblkid/src/superblocks and partitions.
 */
export function contentIdentity(read: ReadBytes): string | null {
  const found = MARKS.filter(({ magicAt, magic }) => hasBytesAt(read, magicAt, magic));
  const names = found.map(({ name, idAt, idBytes }) => ({ name, id: read(idAt, idBytes) }));
  const known = names.filter(({ id }) => id?.some((byte) => byte !== 0));
  if (known.length === 0) return null;
  return known.map(({ name, id }) => `${name} ${Buffer.from(id!).toString('hex')}`).join(', ');
}

export const CONTENT_IDENTITY_BYTES = 68 << 10;

interface Mark {
  readonly name: string;
  readonly magicAt: number;
  readonly magic: Uint8Array;
  readonly idAt: number;
  readonly idBytes: number;
}

function mark(name: string, magicAt: number, magic: string, idAt: number, idBytes: number): Mark {
  return { name, magicAt, magic: latin1(magic), idAt, idBytes };
}

const LUKS_UUID_BYTES = 40;
/** 32 letters and digits. */
const LVM_UUID_BYTES = 32;
const UUID_BYTES = 16;
const DOS_DISK_ID_BYTES = 4;

const MARKS: readonly Mark[] = [
  mark('ext', 1024 + 56, '\x53\xef', 1024 + 104, UUID_BYTES),
  mark('xfs', 0, 'XFSB', 32, UUID_BYTES),
  mark('btrfs', 0x10040, '_BHRfS_M', 0x10020, UUID_BYTES),
  mark('LUKS', 0, 'LUKS\xba\xbe', 168, LUKS_UUID_BYTES),
  mark('LVM', 512, 'LABELONE', 512 + 32, LVM_UUID_BYTES),
  mark('GPT', 512, 'EFI PART', 512 + 56, UUID_BYTES),
  mark('GPT', 4096, 'EFI PART', 4096 + 56, UUID_BYTES),
  mark('DOS partition table', 510, '\x55\xaa', 440, DOS_DISK_ID_BYTES),
];
