import type { DeviceShape } from '../engine/device-shape.js';
import type { BlockStore } from '../ports/block-store.js';
import type { ServedGeometry } from '../ports/served-device.js';

/** What a set looks like to whoever uses it: its main device's queue limits, and what all its disks can do. */
export function servedGeometry(shape: DeviceShape, stores: readonly BlockStore[]): ServedGeometry {
  const main = stores[0]!.geometry;
  return {
    sizeBytes: shape.mainSizeBytes,
    logicalBlockBytes: shape.logicalBlockBytes,
    preferredBlockBytes: shape.unitBytes,
    memoryAlignmentBytes: Math.max(...stores.map((store) => store.geometry.memoryAlignmentBytes)),
    takesRequestBuffers: stores.every((store) => store.takesRequestBuffers === true),
    physicalBlockBytes: Math.max(main.physicalBlockBytes, shape.logicalBlockBytes),
    rotational: main.rotational,
    // One that takes no writes is found out as any other is, and a replacement will take them.
    readOnly: false,
    queue: {
      ...main.queue,
      volatileCache: stores.some((store) => store.geometry.queue.volatileCache),
      nativeFua: haveFua(stores),
    },
  };
}

/**
 * A durable write may go to these disks as one. Elsewhere the kernel flushes the disk behind it, and when that fails nobody can
 * tell it from a write that failed: what was written before would be taken for durable at the next flush.
 */
export function haveFua(stores: readonly Pick<BlockStore, 'geometry'>[]): boolean {
  return stores.every(({ geometry: { queue } }) => !queue.volatileCache || queue.nativeFua);
}
