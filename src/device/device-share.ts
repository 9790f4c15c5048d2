import type { SpareShape } from '../engine/device-shape.js';
import type { ServedGeometry } from '../ports/served-device.js';

/** What a thread needs to know of a device to serve a queue of it (`QueueDevice`). Structured-clone-able. */
export interface DeviceShare {
  readonly geometry: ServedGeometry;
  readonly sizes: {
    readonly mainSizeBytes: number;
    readonly unitBytes: number;
    readonly logicalBlockBytes: number;
    readonly spares: readonly SpareShape[];
  };
  /** Of `RemapTable`, `RegionFilter` and `SharedWords`. */
  readonly table: SharedArrayBuffer;
  readonly filter: SharedArrayBuffer;
  readonly words: SharedArrayBuffer;
  /** Of `WrittenSamples`; left out where the main device is told by its serial number. */
  readonly written: SharedArrayBuffer | undefined;
}
