import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory, fillOnce } from './cache-directory.js';
import { tool } from './tool.js';

/**
 * A folder to lay over the host's root file system: its release of systemd and udev, which containers and small
 * virtual machines often lack. Unpacked, not installed; downloaded on first use.
 */
export async function systemdFiles(): Promise<string> {
  const directory = join(cacheDirectory, 'systemd');
  if (!existsSync(directory)) {
    console.log(`laboratory: fetching ${PACKAGES.join(', ')} into ${cacheDirectory}`);
    await fillOnce(directory, async (unfinished) => unpackPackages(unfinished));
  }
  return directory;
}

function unpackPackages(directory: string): void {
  const work = mkdtempSync(join(tmpdir(), 'dm-remap-lab-apt-'));
  try {
    tool('apt-get', ['update', '-qq']);
    tool('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', ...PACKAGES], { directory: work });
    for (const file of readdirSync(work)) tool('dpkg', ['-x', join(work, file), directory]);
    for (const folder of ['bin', 'sbin', 'lib', 'lib64']) mergeIntoUsr(directory, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The root has links there (`lib` to `usr/lib`), which a folder in a layer above would hide. */
function mergeIntoUsr(directory: string, folder: string): void {
  const from = join(directory, folder);
  if (!existsSync(from)) return;
  cpSync(from, join(directory, 'usr', folder), { recursive: true, verbatimSymlinks: true });
  rmSync(from, { recursive: true });
}

/** With the libraries of the same source package, and those that a system without systemd would not have. */
const PACKAGES = [
  'systemd',
  'udev',
  'libsystemd0',
  'libsystemd-shared',
  'libudev1',
  'libcryptsetup12',
  'libfdisk1',
  'libkmod2',
  'libseccomp2',
  'libp11-kit0',
] as const;
