import { ERRNO } from '../base/errno.js';
import { alignDown, alignUp } from '../base/units.js';
import { lseek } from './ffi.js';
import type { OpenDevice } from './open-device.js';

/**
 * `BlockStore.allocatedRun` of an open file: what its map says about the bytes from `offsetBytes` on. Holes are
 * rounded inwards to logical blocks, so that a block with any data in it counts as data. A block device has no
 * map: all data. What can't be asked is data too, because reading then finds out.
 *
 * Moves the file position, which no I/O here uses. The last stretch of data is remembered: finding its end takes the
 * kernel long on a large file, and calling data what has become a hole since does no harm.
 */
export class FileExtents {
  readonly #device: OpenDevice;
  #dataStart = 0;
  #dataEnd = 0;

  constructor(device: OpenDevice) {
    this.#device = device;
  }

  allocatedRun(offsetBytes: number, lengthBytes: number): number {
    if (this.#device.kind === 'blockDevice') return lengthBytes;
    if (offsetBytes >= this.#dataStart && offsetBytes < this.#dataEnd) {
      return Math.min(this.#dataEnd - offsetBytes, lengthBytes);
    }
    const alike = lookUp(this.#device, offsetBytes);
    if (alike <= 0) return alike === 0 ? lengthBytes : -Math.min(-alike, lengthBytes);
    this.#dataStart = offsetBytes;
    this.#dataEnd = offsetBytes + alike;
    return Math.min(alike, lengthBytes);
  }
}

/** Bytes of data (positive) or hole (negative) from here on; 0: can't be told. */
function lookUp(device: OpenDevice, offsetBytes: number): number {
  const blockBytes = device.geometry.logicalBlockBytes;
  const dataStart = lseek(device.fd, offsetBytes, SEEK_DATA);
  if (dataStart === -ERRNO.ENXIO) return -holeToEndOfFile(device.fd, offsetBytes, blockBytes);
  if (dataStart < 0) return 0;
  const holeBytes = alignDown(dataStart - offsetBytes, blockBytes);
  if (holeBytes > 0) return -holeBytes;
  const dataEnd = lseek(device.fd, dataStart, SEEK_HOLE);
  return dataEnd < 0 ? 0 : alignUp(dataEnd - offsetBytes, blockBytes);
}

/** No data behind `offsetBytes`: a hole up to the end of the file, which may have shrunk since it was opened. */
function holeToEndOfFile(fd: number, offsetBytes: number, blockBytes: number): number {
  const fileBytes = lseek(fd, 0, SEEK_END);
  return fileBytes < 0 ? 0 : alignDown(Math.max(fileBytes - offsetBytes, 0), blockBytes);
}

/** unistd.h */
const SEEK_END = 2;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
