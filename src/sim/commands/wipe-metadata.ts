import type { Machine } from '../machine.js';
import { PAGE_BYTES } from '../metadata-reader.js';
import type { Wipe } from './command-step.js';

/** Destroys every copy of the metadata on all spares, durably, and lies about it end. Data is not touched. */
export function wipeMetadata({ layout, disks }: Machine, what: Wipe): void {
  for (const { spareIndex, offsetBytes, lengthBytes } of layout!.copies) {
    const pagesAt = 4 * PAGE_BYTES;
    const from = what === 'wipePages' ? pagesAt : 0;
    const end = what === 'wipeSuperblocks' ? 2 * PAGE_BYTES : lengthBytes;
    const disk = disks[1 + spareIndex]!;
    disk.overwrite(offsetBytes + from, new Uint8Array(end - from));
    for (const at of disk.lies.keys())
      if (at >= offsetBytes + from && at < offsetBytes + end) disk.lies.delete(at);
  }
}
