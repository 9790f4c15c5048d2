import { haveFua } from '../device/served-geometry.js';
import type { OpenDevice } from '../kernel/open-device.js';

/** Why this device can't take the place of the other; undefined if it can. */
export function misfit(known: Fitting, opened: Fitting): string | undefined {
  const [was, is] = [known.geometry, opened.geometry];
  if (known.kind !== opened.kind) return 'not of the kind of the one that is gone (device or file)';
  if (was.sizeBytes !== is.sizeBytes) return `its size is ${is.sizeBytes} bytes, not ${was.sizeBytes}`;
  if (was.logicalBlockBytes !== is.logicalBlockBytes)
    return `its logical block is ${is.logicalBlockBytes} bytes, not ${was.logicalBlockBytes}; stop and start again`;
  if (is.memoryAlignmentBytes > was.memoryAlignmentBytes)
    return `it needs memory aligned to ${is.memoryAlignmentBytes} bytes; stop and start again`;
  // The kernel sends no flush to a block device that said it has no cache; what the disk held in its own would be lost.
  if (is.queue.volatileCache && !was.queue.volatileCache)
    return 'its write cache is on, and was off; turn it off, or stop and start again';
  if (!haveFua([opened]) && haveFua([known]))
    return 'it can not make a single write durable, as the one that is gone could; stop and start again';
  return undefined;
}

type Fitting = Pick<OpenDevice, 'kind' | 'geometry'>;
