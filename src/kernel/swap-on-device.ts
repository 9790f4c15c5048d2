import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { deviceMajor, deviceMinor } from './device-number.js';
import { sysfsBlockDevice } from './sysfs-block-device.js';

/**
 * Whether swapped-out memory goes to a block device: to itself, a partition, a device stacked on it (dm-crypt, LVM), or a
 * file in a file system on one of these, where the file system has one device.
 */
export function hasSwapOn(path: string): boolean {
  const disk = diskOf(statSync(path, { throwIfNoEntry: false })?.rdev);
  return disk !== undefined && swapPaths().some((swap) => isOn(deviceOfSwap(swap), disk));
}

function swapPaths(): string[] {
  // A kernel without swap has no such file.
  if (!existsSync('/proc/swaps')) return [];
  const lines = readFileSync('/proc/swaps', 'utf8').split('\n').slice(1);
  return lines.map((line) => line.split(/\s+/)[0] ?? '').filter((path) => path !== '');
}

/** A swap file is on the device of its file system. */
function deviceOfSwap(path: string): number | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isBlockDevice() ? stat.rdev : stat?.dev;
}

function isOn(device: number | undefined, disk: string): boolean {
  const own = diskOf(device);
  return own !== undefined && (own === disk || disksBelow(own).some((one) => one === disk));
}

/** All disks that a stacked device is made of, directly or not. */
function disksBelow(disk: string): string[] {
  const slaves = join(disk, 'slaves');
  if (!existsSync(slaves)) return [];
  const direct = readdirSync(slaves).map((name) => wholeDisk(realpathSync(join(slaves, name))));
  return [...direct, ...direct.flatMap(disksBelow)];
}

function diskOf(device: number | undefined): string | undefined {
  if (device === undefined) return undefined;
  return sysfsBlockDevice(deviceMajor(device), deviceMinor(device))?.diskDirectory;
}

function wholeDisk(directory: string): string {
  return existsSync(join(directory, 'partition')) ? join(directory, '..') : directory;
}
