import { basename } from 'node:path';
import { readSysfsText } from './sysfs-block-device.js';

/**
 * Whether the kernel sends flushes to `/dev/NAME`, a whole disk: queue/write_cache of Documentation/ABI/stable/sysfs-block. False
 * where it does not tell.
 */
export function hasWriteCache(path: string, sysfsRoot = '/sys'): boolean {
  return readSysfsText(`${sysfsRoot}/block/${basename(path)}`, 'queue/write_cache') === 'write back';
}
