import { SECTOR_BYTES } from '../../base/units.js';
import type { ReadBytes } from '../foreign-signature.js';

/**
 * Is what lies at sector 0 a page of the module's versions 4.0 and 4.1, although its checksum fits? That happens where
 * the spare was blank before. Its siblings are the same but for the number of the copy, which version 4.2 never sets.
 * `earlySectors`: where a page lies that version 4.2 can't have written.
 */
export function isEarlyPage(read: ReadBytes, earlySectors: readonly number[]): boolean {
  const first = read(0, PAGE_BYTES);
  if (first === undefined) return false;
  const isSibling = (sector: number): boolean => {
    const page = read(sector * SECTOR_BYTES, PAGE_BYTES);
    return page?.every((byte, at) => byte === first[at] || isOfIndex(at)) === true;
  };
  return earlySectors.some(isSibling) || (isSibling(SHARED_SECTOR) && hasOtherIndex(read, first));
}

/** Version 4.2 writes there, too, but the same as at sector 0. */
function hasOtherIndex(read: ReadBytes, first: Uint8Array): boolean {
  const shared = read(SHARED_SECTOR * SECTOR_BYTES, PAGE_BYTES);
  return shared?.some((byte, at) => isOfIndex(at) && byte !== first[at]) === true;
}

function isOfIndex(at: number): boolean {
  return at >= COPY_INDEX_AT && at < COPY_INDEX_AT + 4;
}

const PAGE_BYTES = 4096;
const COPY_INDEX_AT = 0x1c;
const SHARED_SECTOR = 1024;
