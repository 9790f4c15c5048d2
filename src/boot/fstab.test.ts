import { describe, expect, it } from 'vitest';
import { fstabLinesOnMain } from './fstab.js';

const MAIN = {
  path: '/dev/disk/by-id/ata-A',
  device: { kernelName: 'sdb', isPartition: false, links: ['disk/by-id/ata-A', 'disk/by-id/wwn-1'] },
};

describe('lines of fstab on the main device itself', () => {
  it.each([
    ['/dev/sdb /mnt ext4 defaults 0 2', ''],
    ['  /dev/sdb3\t/mnt ext4', '-part3'],
    ['/dev/disk/by-id/wwn-1-part12 /mnt ext4', '-part12'],
  ])('are found: %s', (line, partition) => {
    expect(fstabLinesOnMain(`# comment\n${line}\n`, '/dev/sdb', MAIN)).toMatchObject([
      { lineNumber: 2, partition },
    ]);
  });

  it.each([
    '#/dev/sdb /mnt ext4',
    'UUID=0a /mnt ext4',
    '/dev/sdba /mnt ext4',
    '/dev/disk/by-id/ata-AB /mnt ext4',
    '',
  ])('are not: %s', (line) => {
    expect(fstabLinesOnMain(line, '/dev/sdb', MAIN)).toEqual([]);
  });

  it('number partitions of NVMe disks with a p', () => {
    const nvme = { path: '/dev/nvme0n1', device: { kernelName: 'nvme0n1', isPartition: false, links: [] } };
    expect(fstabLinesOnMain('/dev/nvme0n1p2 /mnt xfs', '/dev/nvme0n1', nvme)).toMatchObject([
      { partition: '-part2' },
    ]);
    expect(fstabLinesOnMain('/dev/nvme0n12 /mnt xfs', '/dev/nvme0n1', nvme)).toEqual([]);
  });
});
