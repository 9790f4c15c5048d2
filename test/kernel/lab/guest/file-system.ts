import { mkdirSync } from 'node:fs';
import type { Guest } from './guest.js';

export const FILE_SYSTEMS = ['ext4', 'xfs', 'btrfs'] as const;
export type FileSystem = (typeof FILE_SYSTEMS)[number];

export async function makeFileSystem(
  guest: Guest,
  type: FileSystem,
  device: string,
  further: readonly string[] = [],
): Promise<void> {
  await guest.modprobe(type);
  await guest.run([`mkfs.${type}`, ...MAKE_ARGUMENTS[type], ...further, device], { timeoutSeconds: 120 });
}

/** Unmounted at the end of the step. Returns the directory. */
export async function mount(
  guest: Guest,
  type: FileSystem,
  device: string,
  further: readonly string[] = [],
): Promise<string> {
  const directory = `/run/lab/mnt${device.replaceAll('/', '-')}`;
  mkdirSync(directory, { recursive: true });
  await guest.run(['mount', '-t', type, ...further, device, directory]);
  mounted.add(directory);
  guest.atEnd(() => unmount(guest, directory));
  return directory;
}

export async function unmount(guest: Guest, directory: string): Promise<void> {
  if (mounted.delete(directory)) await guest.run(['umount', directory], { timeoutSeconds: 120 });
}

/** Fails unless the file system, not mounted, is without fault. Nothing is repaired, but an ext4 journal is played. */
export async function checkFileSystem(guest: Guest, type: FileSystem, device: string): Promise<void> {
  for (const argv of CHECKS[type]) await guest.run([...argv, device], { timeoutSeconds: 120 });
}

const mounted = new Set<string>();

const MAKE_ARGUMENTS = {
  ext4: ['-q', '-F'],
  xfs: ['-q', '-f'],
  btrfs: ['-q', '-f'],
} as const satisfies Record<FileSystem, readonly string[]>;

const CHECKS = {
  // -p plays the journal, which -n would not; status 1, "errors corrected", is a failure here.
  ext4: [
    ['e2fsck', '-p'],
    ['e2fsck', '-f', '-n'],
  ],
  xfs: [['xfs_repair', '-n']],
  btrfs: [['btrfs', 'check', '--readonly']],
} as const satisfies Record<FileSystem, readonly (readonly string[])[]>;
