import { describe, expect, it } from 'vitest';
import { mountPointOf } from './mount-point.js';

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
