import { assert } from '../base/assert.js';
import type { ServedGeometry } from '../ports/served-device.js';
import { MAX_TRANSFER_BYTES } from '../ports/served-device.js';

/** The frontend's side of `ServedDevice`, for a read or write: whole logical blocks, inside the device, not too many. */
export function checkTransfer(geometry: ServedGeometry, offsetBytes: number, lengthBytes: number): void {
  assert(lengthBytes <= MAX_TRANSFER_BYTES, 'a request is not too long');
  checkRange(geometry, offsetBytes, lengthBytes);
}

/** The same without a limit of length. */
export function checkRange(geometry: ServedGeometry, offsetBytes: number, lengthBytes: number): void {
  const block = geometry.logicalBlockBytes;
  assert(lengthBytes > 0, 'a request has a length');
  assert(offsetBytes % block === 0 && lengthBytes % block === 0, 'requests are whole logical blocks');
  assert(offsetBytes >= 0 && offsetBytes + lengthBytes <= geometry.sizeBytes, 'request inside the device');
}
