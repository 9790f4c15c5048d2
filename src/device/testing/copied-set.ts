import { assert } from '../../base/assert.js';
import type { EvacuationProgress } from '../evacuation-progress.js';
import type { DeviceOnMemory, DeviceOnMemoryOptions } from './device-on-memory.js';
import { numberedDevice } from './numbered-device.js';
import { BLOCK_BYTES, blockContents } from './workload.js';

const MIB = 1 << 20;
/** The disk that is filled: behind the main device and the spare. */
export const REPLACEMENT_DISK = 2;
/** Longer than what two disks hold needs to be recorded. */
const SETTLED_MS = 25_000;

/** A set that is copied to another disk, which is recorded, so that nothing needs to be copied again. */
export function copiedSet(
  options: Partial<DeviceOnMemoryOptions> & { copies?: number } = {},
): ReturnType<typeof numberedDevice> {
  const { mainBytes = 4 * MIB } = options;
  const device = numberedDevice({
    spareBytes: [4 * MIB, mainBytes],
    furtherDiskCount: 1,
    volatileCaches: true,
    ...options,
  });
  device.rig.open();
  copyAll(device.rig);
  return device;
}

/** Until all is copied, and recorded as that. */
export function copyAll(rig: DeviceOnMemory, copyId?: Uint8Array): EvacuationProgress {
  rig.evacuateTo(REPLACEMENT_DISK, copyId);
  rig.scheduler.advance(SETTLED_MS);
  const progress = rig.device!.replacement.progress!;
  assert(progress.state === 'copied', `it is copied, and not ${progress.state}`);
  return progress;
}

/** Blocks of that disk as they lie there. */
export function replaced(rig: DeviceOnMemory, first: number, count: number): number[] {
  const { contents } = rig.disks[REPLACEMENT_DISK]!;
  const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
  return Array.from({ length: count }, (_, index) => blockContents(view, (first + index) * BLOCK_BYTES));
}

/** The first eight parts, as bits; undefined: nothing is recorded. */
export function recorded(rig: DeviceOnMemory): number | undefined {
  return rig.device!.metadata.superblock.copyPosition?.settled[0];
}
