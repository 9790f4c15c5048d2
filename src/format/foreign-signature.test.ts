import { describe, expect, it } from 'vitest';
import { recognise, signatureProbes } from './foreign-signature.js';

const MIB = 1 << 20;
const KIB = 1 << 10;

/** What is written where, on a device of zeroes. Negative offsets count from the end. */
type Writes = readonly (readonly [number, string])[];

describe('foreign signatures', () => {
  it.each<[string, Writes]>([
    ['xfs', [[0, 'XFSB']]],
    ['btrfs', [[0x10040, '_BHRfS_M']]],
    ['f2fs', [[1024, '\x10\x20\xf5\xf2']]],
    [
      'ntfs',
      [
        [3, 'NTFS    '],
        [510, '\x55\xaa'],
      ],
    ],
    [
      'exfat',
      [
        [3, 'EXFAT   '],
        [510, '\x55\xaa'],
      ],
    ],
    [
      'FAT12',
      [
        [54, 'FAT12   '],
        [510, '\x55\xaa'],
      ],
    ],
    [
      'FAT16',
      [
        [54, 'FAT16   '],
        [510, '\x55\xaa'],
      ],
    ],
    [
      'FAT32',
      [
        [82, 'FAT32   '],
        [510, '\x55\xaa'],
      ],
    ],
    ['swap space', [[4086, 'SWAPSPACE2']]],
    ['swap space', [[65526, 'SWAPSPACE2']]],
    ['LUKS encryption', [[0, 'LUKS\xba\xbe\0\x02']]],
    ['LUKS encryption (second header)', [[0x4000, 'SKUL\xba\xbe\0\x02']]],
    [
      'LVM physical volume',
      [
        [512, 'LABELONE'],
        [512 + 24, 'LVM2 001'],
      ],
    ],
    ['ISO 9660 image', [[0x8001, 'CD001']]],
    ['bcache', [[4096 + 24, '\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81']]],
    ['GPT partition table', [[512, 'EFI PART']]],
    ['GPT partition table', [[4096, 'EFI PART']]],
    ['GPT partition table (second copy)', [[-512, 'EFI PART']]],
    ['GPT partition table (second copy)', [[-4096, 'EFI PART']]],
    ['ZFS pool member', [[128 * KIB, '\x0c\xb1\xba\0\0\0\0\0']]],
    ['ZFS pool member', [[384 * KIB + 5 * KIB, '\0\0\0\0\0\xba\xb1\x0c']]],
    ['ZFS pool member', [[-384 * KIB, '\x0c\xb1\xba\0\0\0\0\0']]],
    ['ZFS pool member', [[-128 * KIB, '\x0c\xb1\xba\0\0\0\0\0']]],
    ['a spare of the dm-remap kernel module (version 4)', [[0, '4RMD\x04\0\0\0']]],
    ['a spare of the dm-remap kernel module (version 4)', [[512 * KIB, '4RMD\x04\0\0\0']]],
    ['a spare of the dm-remap kernel module (version 3)', [[0, 'DMREMAP3']]],
    ['qcow2 disk image', [[0, 'QFI\xfb\0\0\0\x03']]],
  ])('name %s', (name, writes) => {
    expect(recogniseImage(4 * MIB, writes)).toBe(name);
  });

  it.each<[string, number, number, number]>([
    ['ext2', 0, 0x2, 0x1],
    ['ext3', 0x4, 0x2, 0x3],
    ['ext3', 0x4, 0x6, 0x3],
    ['ext4', 0x4, 0x2 | 0x40, 0x1],
    ['ext4', 0x4, 0x2, 0x8],
    ['ext journal', 0, 0x8, 0],
  ])('tell %s by its features', (name, compat, incompat, readOnlyCompat) => {
    const words = [compat, incompat, readOnlyCompat].map(u32).join('');
    expect(
      recogniseImage(4 * MIB, [
        [1024 + 56, '\x53\xef'],
        [1024 + 92, words],
      ]),
    ).toBe(name);
  });

  it.each<[string, number, number]>([
    ['1.1', 0, 0],
    ['1.2', 4096, 8],
    ['1.0', 4 * MIB - 8192, (4 * MIB - 8192) / 512],
  ])('find md metadata %s where it belongs', (version, offset, ownSector) => {
    const superblock: Writes = [
      [offset, '\xfc\x4e\x2b\xa9\x01\0\0\0'],
      [offset + 144, u32(ownSector)],
    ];
    const misplaced: Writes = [superblock[0]!, [offset + 144, u32(ownSector + 8)]];
    expect(recogniseImage(4 * MIB, superblock)).toBe(`Linux RAID member (md), metadata ${version}`);
    expect(recogniseImage(4 * MIB, misplaced)).toBeNull();
  });

  it('find md metadata 0.90 in the last whole 64 KiB but one', () => {
    const sizeBytes = 4 * MIB + 20 * KIB;
    expect(recogniseImage(sizeBytes, [[4 * MIB - 64 * KIB, '\xfc\x4e\x2b\xa9']])).toContain('metadata 0.90');
  });

  it('tell a partition table, a protective one and a mere boot sector apart', () => {
    const partition = (type: number) => `\x80\0\0\0${String.fromCharCode(type)}\0\0\0${u32(2048)}${u32(100)}`;
    expect(
      recogniseImage(MIB, [
        [446, partition(0x83)],
        [510, '\x55\xaa'],
      ]),
    ).toBe('MBR partition table');
    expect(
      recogniseImage(MIB, [
        [446, partition(0xee)],
        [510, '\x55\xaa'],
      ]),
    ).toContain('GPT');
    expect(
      recogniseImage(MIB, [
        [446, '\x13'],
        [510, '\x55\xaa'],
      ]),
    ).toBe('boot sector');
    expect(recogniseImage(MIB, [[510, '\x55\xaa']])).toBe('boot sector');
  });

  it('name everything that is there, and no boot sector beside it', () => {
    const writes: Writes = [
      [0, 'XFSB'],
      [510, '\x55\xaa'],
      [-128 * KIB, '\x0c\xb1\xba\0\0\0\0\0'],
    ];
    expect(recogniseImage(4 * MIB, writes)).toBe('ZFS pool member and xfs');
  });

  it('are not seen on zeroes, noise, or a device that can’t be read', () => {
    expect(recogniseImage(4 * MIB, [])).toBeNull();
    expect(recogniseImage(4 * MIB, [[0, 'x'.repeat(1000)]])).toBeNull();
    expect(recognise(() => undefined, 4 * MIB)).toBeNull();
  });

  it('are looked for inside the device and the announced ranges only', () => {
    for (const sizeBytes of [0, 512, 4096, 64 * KIB, 576 * KIB, MIB, MIB + 4096, 1300 * KIB, 5 * MIB + 512]) {
      const probes = signatureProbes(sizeBytes);
      const asked: string[] = [];
      recognise((offset, length) => {
        const inside = offset >= 0 && offset + length <= sizeBytes;
        const probed = probes.some((span) => {
          return offset >= span.offsetBytes && offset + length <= span.offsetBytes + span.lengthBytes;
        });
        if (inside && !probed) asked.push(`${sizeBytes}: ${length} bytes at ${offset}`);
        return undefined;
      }, sizeBytes);
      for (const span of probes) expect(span.offsetBytes + span.lengthBytes).toBeLessThanOrEqual(sizeBytes);
      expect(asked).toEqual([]);
    }
  });
});

/** The reader gives only what lies in the announced ranges, as the real one does. */
function recogniseImage(sizeBytes: number, writes: Writes): string | null {
  const image = new Uint8Array(sizeBytes);
  for (const [offset, text] of writes) {
    image.set(
      Uint8Array.from(text, (character) => character.charCodeAt(0)),
      offset < 0 ? sizeBytes + offset : offset,
    );
  }
  const probes = signatureProbes(sizeBytes);
  return recognise((offset, length) => {
    const probed = probes.some((span) => {
      return offset >= span.offsetBytes && offset + length <= span.offsetBytes + span.lengthBytes;
    });
    return probed ? image.subarray(offset, offset + length) : undefined;
  }, sizeBytes);
}

function u32(value: number): string {
  return String.fromCharCode(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}
