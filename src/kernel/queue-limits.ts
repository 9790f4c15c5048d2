import { PLAIN_QUEUE, type QueueLimits } from '../ports/block-store.js';
import type { SysfsBlockDevice } from './sysfs-block-device.js';
import { readSysfsNumber, readSysfsText } from './sysfs-block-device.js';

/**
 * Of a block device, from /sys/block/X/queue (Documentation/ABI/stable/sysfs-block). Writes through the page cache
 * (not `direct`) have a volatile cache whatever the disk says. Where the kernel does not show a limit, the careful
 * answer is taken: a volatile cache, no discard.
 */
export function blockDeviceQueue(
  device: SysfsBlockDevice | null,
  direct: boolean,
  physicalBlockBytes: number,
): QueueLimits {
  if (device === null) return { ...PLAIN_QUEUE, discardGranularityBytes: 0, canWriteZeroes: false };
  const limit = (name: string) => readSysfsNumber(device.diskDirectory, `queue/${name}`) ?? 0;
  const isWriteThrough = readSysfsText(device.diskDirectory, 'queue/write_cache') === 'write through';
  return {
    volatileCache: !direct || !isWriteThrough,
    discardGranularityBytes: limit('discard_max_bytes') > 0 ? limit('discard_granularity') : 0,
    canWriteZeroes: limit('write_zeroes_max_bytes') > 0,
    minimumIoBytes: Math.max(limit('minimum_io_size'), physicalBlockBytes),
    optimalIoBytes: limit('optimal_io_size'),
    maxTransferBytes: limit('max_sectors_kb') * 1024 || PLAIN_QUEUE.maxTransferBytes,
  };
}

/** Of a regular file. */
export function fileQueue(readOnly: boolean): QueueLimits {
  return readOnly ? { ...PLAIN_QUEUE, discardGranularityBytes: 0 } : PLAIN_QUEUE;
}
