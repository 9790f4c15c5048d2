import { describe, expect, it } from 'vitest';
import { mountPointOf, mountsOf } from './mount-point.js';

const MOUNTINFO = `21 1 0:20 / / rw - overlay host rw
22 21 8:3 / /usr ro - ext4 /dev/sda3 rw
23 21 8:4 / /home rw - ext4 /dev/sda4 rw
24 23 8:5 / /home/my\\040disk rw - ext4 /dev/sda5 rw
`;

describe('the mount point of a path', () => {
  it.each([
    ['/etc/fstab', '/'],
    ['/usr/bin/node', '/usr'],
    ['/usrlocal/node', '/'],
    ['/home', '/home'],
    ['/home/my disk/node', '/home/my disk'],
    ['/home/my', '/home'],
  ])('of %s is %s', (path, point) => {
    expect(mountPointOf(path, MOUNTINFO)).toBe(point);
  });
});

describe('the mounts of a type', () => {
  it('have all of a file system before parts of it, with what they are mounted from', () => {
    const lines = [
      '30 21 0:41 /@home /home rw - btrfs /dev/ublkb0 rw,subvol=/@home',
      '31 21 0:41 / /mnt/all\\040of\\040it rw shared:3 master:1 - btrfs /dev/ublkb0 rw',
    ];
    expect(mountsOf('btrfs', `${MOUNTINFO}${lines.join('\n')}\n`)).toEqual([
      { point: '/mnt/all of it', source: '/dev/ublkb0', isWhole: true },
      { point: '/home', source: '/dev/ublkb0', isWhole: false },
    ]);
    expect(mountsOf('xfs', MOUNTINFO)).toEqual([]);
  });
});
