import { assert } from '../../base/assert.js';
import { alignDown, isPowerOfTwo } from '../../base/units.js';
import type { ServedGeometry } from '../../ports/served-device.js';
import { MAX_STRING_BYTES, TransmissionFlag } from './protocol.js';

/** What clients are told about the one export of a server. */
export interface ServedExport {
  /** The empty name means this export too. */
  readonly name: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly minimumBlockBytes: number;
  readonly preferredBlockBytes: number;
  /** Transmission flags without SEND_DF, which depends on the connection. */
  readonly flags: number;
}

export function servedExport(name: string, description: string, geometry: ServedGeometry): ServedExport {
  const minimumBlockBytes = geometry.logicalBlockBytes;
  const preferredBlockBytes = Math.max(geometry.preferredBlockBytes, minimumBlockBytes, 512);
  assert(isPowerOfTwo(minimumBlockBytes) && minimumBlockBytes <= 65536, 'block size the protocol can say');
  assert(isPowerOfTwo(preferredBlockBytes), 'preferred block size is a power of two');
  assert(textBytes(name) <= MAX_STRING_BYTES && !name.includes('\0'), 'export name the protocol can say');
  assert(textBytes(description) <= MAX_STRING_BYTES, 'description the protocol can say');
  return {
    name,
    description,
    sizeBytes: alignDown(geometry.sizeBytes, minimumBlockBytes),
    minimumBlockBytes,
    preferredBlockBytes,
    flags: transmissionFlags(geometry),
  };
}

/** CAN_MULTI_CONN holds because all connections share one device and `flush` covers the writes of all of them. */
function transmissionFlags(geometry: ServedGeometry): number {
  const always =
    TransmissionFlag.hasFlags |
    TransmissionFlag.sendFlush |
    TransmissionFlag.sendFua |
    TransmissionFlag.canMultiConnection |
    TransmissionFlag.sendCache;
  const writing =
    TransmissionFlag.sendTrim | TransmissionFlag.sendWriteZeroes | TransmissionFlag.sendFastZero;
  return (
    always |
    (geometry.readOnly ? TransmissionFlag.readOnly : writing) |
    (geometry.rotational ? TransmissionFlag.rotational : 0)
  );
}

function textBytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
