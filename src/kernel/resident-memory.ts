import { madvise, mlock2 } from './ffi.js';

/**
 * Makes all pages of a range of anonymous memory real now, and keeps them from being swapped out. A page that is first
 * touched while a request is served has to be found then, and where memory has run short it may be that request which
 * would free some. Returns 0 or a negative errno, why the range is not locked; its pages are real all the same unless
 * there are not that many.
 */
export function makeResident(address: number, lengthBytes: number): number {
  const result = mlock2(address, lengthBytes, 0);
  if (result < 0) madvise(address, lengthBytes, MADV_POPULATE_WRITE);
  return result;
}

/** linux/mman.h; Linux 5.14. Older kernels have no ublk either. */
const MADV_POPULATE_WRITE = 23;
