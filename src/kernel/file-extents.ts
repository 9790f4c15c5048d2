import { ERRNO } from '../base/errno.js';
import { alignDown, alignUp } from '../base/units.js';
import { lseek } from './ffi.js';
import type { OpenDevice } from './open-device.js';

/**
 * `BlockStore.allocatedRun` of an open file: what its map says about the bytes from `offsetBytes` on. Holes are
 * rounded inwards to logical blocks, so that a block with any data in it counts as data. A block device has no
 * map: all data. What can't be asked is data too, because reading then finds out.
 *
 * Moves the file position, which no I/O here uses.
 */
export function allocatedRunOf(device: OpenDevice, offsetBytes: number, lengthBytes: number): number {
  if (device.kind === 'blockDevice') return lengthBytes;
  const blockBytes = device.geometry.logicalBlockBytes;
  const dataStart = lseek(device.fd, offsetBytes, SEEK_DATA);
  if (dataStart === -ERRNO.ENXIO) return runToEndOfFile(device.fd, offsetBytes, lengthBytes, blockBytes);
  if (dataStart < 0) return lengthBytes;
  const holeBytes = alignDown(dataStart - offsetBytes, blockBytes);
  if (holeBytes > 0) return -Math.min(holeBytes, lengthBytes);
  const dataEnd = lseek(device.fd, dataStart, SEEK_HOLE);
  if (dataEnd < 0) return lengthBytes;
  return Math.min(alignUp(dataEnd - offsetBytes, blockBytes), lengthBytes);
}

/** No data behind `offsetBytes`: a hole up to the end of the file, which may have shrunk since it was opened. */
function runToEndOfFile(fd: number, offsetBytes: number, lengthBytes: number, blockBytes: number): number {
  const fileBytes = lseek(fd, 0, SEEK_END);
  const holeBytes = fileBytes < 0 ? 0 : alignDown(Math.max(fileBytes - offsetBytes, 0), blockBytes);
  return holeBytes === 0 ? lengthBytes : -Math.min(holeBytes, lengthBytes);
}

/** unistd.h */
const SEEK_END = 2;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
