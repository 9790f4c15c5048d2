import { DescriptorState, emptyDescriptor, sealPage, writeDescriptor } from '../format/descriptor-page.js';
import {
  DESCRIPTORS_PER_PAGE,
  descriptorOffsetBytes,
  METADATA_PAGE_BYTES,
  pageOffsetBytes,
  superblockOffsetBytes,
} from '../format/layout.js';
import type { Superblock } from '../format/superblock.js';
import { encodeSuperblock } from '../format/superblock-codec.js';

/**
 * What another set, with the same layout, has left on the spares: superblocks and pages, all intact and newer than what
 * will be written. Formatting has to take the superblocks away; the pages stay, and nobody may believe them.
 */
export function leaveRemains(layout: Superblock, spares: readonly Uint8Array[]): void {
  const former = { ...layout, setId: new Uint8Array(16).fill(9) };
  for (const [copyIndex, copy] of layout.copies.entries()) {
    const spare = spares[copy.spareIndex]!;
    for (const sequence of [FORMER_SEQUENCE, FORMER_SEQUENCE + 1]) {
      const slot = sequence % 2;
      const at = superblockOffsetBytes(copy, slot);
      encodeSuperblock(spare.subarray(at, at + METADATA_PAGE_BYTES), { ...former, sequence }, copyIndex);
      for (let page = 0; page < layout.pageCount; page += 1) {
        const offset = pageOffsetBytes(copy, page, slot);
        const into = spare.subarray(offset, offset + METADATA_PAGE_BYTES);
        fillPage(into, page);
        sealPage(into, { setId: former.setId, copyIndex, slot, pageIndex: page }, sequence, 1);
      }
    }
  }
}

/** Every unit of it holds something. */
function fillPage(into: Uint8Array, page: number): void {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  const descriptor = { ...emptyDescriptor(), state: DescriptorState.mapped };
  const first = page * DESCRIPTORS_PER_PAGE;
  for (let unit = first; unit < first + DESCRIPTORS_PER_PAGE; unit += 1) {
    descriptor.mainUnit = unit % 16;
    writeDescriptor(view, descriptorOffsetBytes(unit), descriptor);
  }
}

const FORMER_SEQUENCE = 1000;
