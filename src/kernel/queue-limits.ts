import { PLAIN_QUEUE, type QueueLimits } from '../ports/block-store.js';
import type { SysfsBlockDevice } from './sysfs-block-device.js';
import { readSysfsNumber, readSysfsText } from './sysfs-block-device.js';

/**
 * Of a block device, from /sys/block/X/queue (Documentation/ABI/stable/sysfs-block). Writes through the page cache
 * (not `direct`) have a volatile cache whatever the disk says. Where the kernel does not show a limit, the careful
 * answer is taken: a volatile cache, no FUA, no discard.
 */
export function blockDeviceQueue(
  device: SysfsBlockDevice | null,
  direct: boolean,
  physicalBlockBytes: number,
): QueueLimits {
  if (device === null)
    return { ...PLAIN_QUEUE, nativeFua: false, discardGranularityBytes: 0, canWriteZeroes: false };
  const limit = (name: string) => readSysfsNumber(device.diskDirectory, `queue/${name}`) ?? 0;
  const isWriteThrough = readSysfsText(device.diskDirectory, 'queue/write_cache') === 'write through';
  return {
    volatileCache: !direct || !isWriteThrough,
    nativeFua: direct && limit('fua') === 1,
    discardGranularityBytes: limit('discard_max_bytes') > 0 ? limit('discard_granularity') : 0,
    canWriteZeroes: limit('write_zeroes_max_bytes') > 0,
    minimumIoBytes: Math.max(limit('minimum_io_size'), physicalBlockBytes),
    optimalIoBytes: limit('optimal_io_size'),
    maxTransferBytes: limit('max_sectors_kb') * 1024 || PLAIN_QUEUE.maxTransferBytes,
  };
}

/** Of a regular file: what is made durable of it is all of it. */
export function fileQueue(readOnly: boolean): QueueLimits {
  const limits = { ...PLAIN_QUEUE, nativeFua: false };
  return readOnly ? { ...limits, discardGranularityBytes: 0 } : limits;
}
