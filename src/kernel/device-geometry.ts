import { failed, ok, type Result } from '../base/result.js';
import { alignDown, isPowerOfTwo } from '../base/units.js';
import { type Geometry, NO_IDENTITY } from '../ports/block-store.js';
import { blockDeviceFacts } from './block-ioctl.js';
import { deviceMajor, deviceMinor } from './device-number.js';
import { type OpenFailure, openFailure } from './open-failure.js';
import { blockDeviceQueue, fileQueue } from './queue-limits.js';
import { readSysfsNumber, sysfsBlockDevice } from './sysfs-block-device.js';
import { readDeviceIdentity } from './sysfs-identity.js';

/** Of an open block device; `deviceNumber` is `st_rdev`. Fails where it is empty, too odd or not as asked. */
export function blockDeviceGeometry(
  path: string,
  fd: number,
  deviceNumber: number,
  readOnly: boolean,
  direct: boolean,
): Result<Geometry, OpenFailure> {
  const facts = blockDeviceFacts(fd);
  if (!facts.ok) return failed(openFailure(path, facts.error));
  const { sizeBytes, logicalBlockBytes, physicalBlockBytes, rotational } = facts.value;
  if (!isSupportedBlock(logicalBlockBytes)) return failed({ kind: 'unsupportedBlockSize', path, errno: 0 });
  if (sizeBytes < logicalBlockBytes) return failed({ kind: 'tooSmall', path, errno: 0 });
  if (facts.value.readOnly && !readOnly) return failed({ kind: 'readOnly', path, errno: 0 });
  const major = deviceMajor(deviceNumber);
  const minor = deviceMinor(deviceNumber);
  return ok({
    sizeBytes: alignDown(sizeBytes, logicalBlockBytes),
    logicalBlockBytes,
    physicalBlockBytes: Math.max(physicalBlockBytes, logicalBlockBytes),
    memoryAlignmentBytes: direct ? directAlignment(major, minor, logicalBlockBytes) : 1,
    rotational,
    readOnly,
    queue: blockDeviceQueue(sysfsBlockDevice(major, minor), direct, physicalBlockBytes),
    identity: readDeviceIdentity(major, minor),
  });
}

/** Of a regular file; a last piece shorter than a logical block is left alone. */
export function fileGeometry(
  path: string,
  fileBytes: number,
  readOnly: boolean,
  direct: boolean,
  logicalBlockBytes: number,
): Result<Geometry, OpenFailure> {
  if (fileBytes < logicalBlockBytes) return failed({ kind: 'tooSmall', path, errno: 0 });
  return ok({
    sizeBytes: alignDown(fileBytes, logicalBlockBytes),
    logicalBlockBytes,
    physicalBlockBytes: FILE_PHYSICAL_BLOCK_BYTES,
    memoryAlignmentBytes: direct ? logicalBlockBytes : 1,
    rotational: false,
    readOnly,
    queue: fileQueue(readOnly),
    identity: NO_IDENTITY,
  });
}

/** Logical blocks that a relocation unit can be made of. */
export function isSupportedBlock(logicalBlockBytes: number): boolean {
  return isPowerOfTwo(logicalBlockBytes) && logicalBlockBytes >= 512 && logicalBlockBytes <= 4096;
}

/** Kernels since 6.0 publish what direct I/O needs of memory as a mask; before it was the logical block. */
function directAlignment(major: number, minor: number, logicalBlockBytes: number): number {
  const alignmentMask = queueNumber(major, minor, 'dma_alignment');
  const isMask = alignmentMask >= 0 && isPowerOfTwo(alignmentMask + 1);
  return isMask ? alignmentMask + 1 : logicalBlockBytes;
}

/** A limit of the whole disk's request queue; -1 where the kernel does not show it. */
function queueNumber(major: number, minor: number, limit: string): number {
  const device = sysfsBlockDevice(major, minor);
  if (device === null) return -1;
  return readSysfsNumber(device.diskDirectory, `queue/${limit}`) ?? -1;
}

/** Page caches and file systems write whole pages. */
const FILE_PHYSICAL_BLOCK_BYTES = 4096;
