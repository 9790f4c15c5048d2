import { assert } from './assert.js';

/**
 * 64-bit little-endian integers as exact Numbers, in two 32-bit halves: BigInt would allocate, and nothing that is
 * measured here (byte offsets, unit numbers, sequences, seconds) reaches 2^53.
 */
export function writeU64(view: DataView, offset: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `not an exact unsigned integer: ${value}`);
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / WORD), true);
}

/**
 * The number at `offset`, or `NOT_EXACT` when it is 2^53 or more. Bytes from a disk may hold anything, so this is
 * not an assertion: `Number.isSafeInteger` and every upper bound refuse `NOT_EXACT`.
 */
export function readU64(view: DataView, offset: number): number {
  const high = view.getUint32(offset + 4, true);
  return high < EXACT_HIGH_WORDS ? high * WORD + view.getUint32(offset, true) : NOT_EXACT;
}

/** What `readU64` gives for a number that a Number can't hold exactly. */
export const NOT_EXACT = Number.POSITIVE_INFINITY;

const WORD = 2 ** 32;
const EXACT_HIGH_WORDS = 2 ** 21;
