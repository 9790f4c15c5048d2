import { existsSync, fstatSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../base/assert.js';
import { type PartitionPlace, partitionPlace } from './block-devices.js';
import { blockDeviceFacts } from './block-ioctl.js';
import { deviceMajor, deviceMinor } from './device-number.js';
import { dup3 } from './ffi.js';
import type { OpenDevice } from './open-device.js';
import { sysfsBlockDevice } from './sysfs-block-device.js';

/** An open device with all by which it can be known again after it has vanished. */
export interface KnownDevice {
  readonly device: OpenDevice;
  /** Of a block device: null for a whole disk. */
  readonly partition: PartitionPlace | null;
  /** Of a file; null for a block device. */
  readonly file: FileIdentity | null;
}

/** Stays with a file when its file system is mounted again. */
export interface FileIdentity {
  readonly inode: bigint;
  /** When it was made, in nanoseconds since 1970; 0 where the file system doesn't say. */
  readonly birthNs: bigint;
}

export function rememberDevice(device: OpenDevice, sysfsRoot = '/sys'): KnownDevice {
  const stats = fstatSync(device.fd, { bigint: true });
  if (device.kind === 'file') {
    return { device, partition: null, file: { inode: stats.ino, birthNs: stats.birthtimeNs } };
  }
  const number = Number(stats.rdev);
  const shown = sysfsBlockDevice(deviceMajor(number), deviceMinor(number), sysfsRoot);
  return { device, partition: shown === null ? null : partitionPlace(shown.directory), file: null };
}

/**
 * The device behind the open descriptor does not exist any more: its size is 0 (Linux, del_gendisk; see
 * shared/facts/abi.md section 3), or /sys has lost it. Always false for a file.
 */
export function hasVanished({ fd, kind }: OpenDevice, sysfsRoot = '/sys'): boolean {
  if (kind === 'file') return false;
  const facts = blockDeviceFacts(fd);
  if (!facts.ok || facts.value.sizeBytes === 0) return true;
  const number = fstatSync(fd).rdev;
  const directory = join(sysfsRoot, 'dev/block');
  return (
    existsSync(directory) && !existsSync(join(directory, `${deviceMajor(number)}:${deviceMinor(number)}`))
  );
}

/**
 * The descriptor that everybody uses is open on `returned` from now on, at once for all threads and rings: I/O in
 * flight ends where it was begun. The lock and the exclusive claim go with it; the descriptor of `returned` itself is
 * left for its owner to close.
 */
export function replaceDescriptor(known: OpenDevice, returned: OpenDevice): void {
  const result = dup3(returned.fd, known.fd, O_CLOEXEC);
  assert(result === known.fd, `dup3 failed: ${result}`);
}

/** asm-generic/fcntl.h; the same on x86-64 and arm64. */
const O_CLOEXEC = 0x8_0000;
