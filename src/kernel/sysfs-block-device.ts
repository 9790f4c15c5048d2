import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where the kernel shows one block device; a partition's queue and hardware are those of its whole disk. */
export interface SysfsBlockDevice {
  /** Of the device itself, e.g. `/sys/devices/.../block/sda/sda1`. */
  readonly directory: string;
  /** Of the whole disk, e.g. `/sys/devices/.../block/sda`; the same for a whole disk. */
  readonly diskDirectory: string;
}

/** Finds a device by its number, whatever it is called in /dev; null where /sys is not mounted or lacks it. */
export function sysfsBlockDevice(major: number, minor: number, sysfsRoot = '/sys'): SysfsBlockDevice | null {
  const link = join(sysfsRoot, 'dev/block', `${major}:${minor}`);
  if (!existsSync(link)) return null;
  const directory = realpathSync(link);
  const isPartition = existsSync(join(directory, 'partition'));
  return { directory, diskDirectory: isPartition ? dirname(directory) : directory };
}

/** An attribute as text without padding and control characters; '' where the device does not have it. */
export function readSysfsText(directory: string, attribute: string): string {
  return printable(readSysfsBytes(directory, attribute).toString('latin1'));
}

/** An attribute as a number; null where the device does not have it. */
export function readSysfsNumber(directory: string, attribute: string): number | null {
  const text = readSysfsText(directory, attribute);
  return /^\d+$/.test(text) ? Number(text) : null;
}

/**
 * An attribute as it is; empty where it can't be read. Every attribute read here is optional, and drivers answer
 * a missing one with ENOENT, EINVAL, EIO or ENODEV as they please, so no error is told apart.
 */
export function readSysfsBytes(directory: string, attribute: string): Buffer {
  try {
    return readFileSync(join(directory, attribute));
  } catch {
    return Buffer.alloc(0);
  }
}

/** Text for people and for comparing: printable ASCII, runs of anything else become one space. */
export function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]+/g, ' ').trim();
}
