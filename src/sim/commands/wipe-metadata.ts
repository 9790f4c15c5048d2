import type { Machine } from '../machine.js';
import { PAGE_BYTES } from '../metadata-reader.js';
import type { Wipe } from './command-step.js';

/** Destroys every copy of the metadata on all spares, durably. Data is not touched. */
export function wipeMetadata({ layout, disks }: Machine, what: Wipe): void {
  for (const { spareIndex, offsetBytes, lengthBytes } of layout!.copies) {
    const pagesAt = 4 * PAGE_BYTES;
    const from = what === 'wipePages' ? pagesAt : 0;
    const end = what === 'wipeSuperblocks' ? 2 * PAGE_BYTES : lengthBytes;
    disks[1 + spareIndex]!.overwrite(offsetBytes + from, new Uint8Array(end - from));
  }
}
