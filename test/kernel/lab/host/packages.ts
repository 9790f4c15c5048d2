import { existsSync } from 'node:fs';
import { tool } from './tool.js';

/**
 * Installs with apt what the laboratory needs and the machine lacks, and `further` programs; says so in one line. Needs
 * root only then.
 */
export function installMissingPackages(further: readonly NeededProgram[] = []): void {
  const missing = [...NEEDED, ...further]
    .filter(([program]) => !isInstalled(program))
    .map(([, name]) => name);
  installPackages([...new Set(missing)]);
}

/** A program, and Debian's package with it. */
export type NeededProgram = readonly [program: string, packageName: string];

function installPackages(missing: readonly string[]): void {
  if (missing.length === 0) return;
  console.log(`laboratory: installing ${missing.join(' ')}`);
  tool('apt-get', ['update', '-qq']);
  tool('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
}

function isInstalled(program: string): boolean {
  return DIRECTORIES.some((directory) => existsSync(`${directory}/${program}`));
}

/** A user's PATH often lacks sbin, where the programs of this trade live. */
const DIRECTORIES = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin', '/bin', '/sbin'];

/** The guest uses the host's file system, so its programs are here too. */
const NEEDED: readonly NeededProgram[] = [
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['busybox', 'busybox-static'],
  ['cpio', 'cpio'],
  ['xz', 'xz-utils'],
  ['depmod', 'kmod'],
  ['setpriv', 'util-linux'],
  ['fio', 'fio'],
  ['mkfs.ext4', 'e2fsprogs'],
  ['mkfs.xfs', 'xfsprogs'],
  ['mkfs.btrfs', 'btrfs-progs'],
  ['dmsetup', 'dmsetup'],
  ['sfdisk', 'fdisk'],
  ['kpartx', 'kpartx'],
  ['nbd-client', 'nbd-client'],
  ['losetup', 'mount'],
];
