import { crc32 } from '../base/crc32.js';
import { METADATA_PAGE_BYTES } from './layout.js';

/**
 * What superblocks and descriptor pages have in common: 4096 bytes with eight bytes of magic at 0 and a CRC-32 at 8,
 * taken over all 4096 bytes with the CRC's own four bytes as zero. The CRC is at the same place in every format
 * version, so that a newer block is told from a damaged one.
 */
export function seal(block: Uint8Array): void {
  setCrc(block, contentCrc(block));
}

export function hasValidSeal(block: Uint8Array): boolean {
  return contentCrc(block) === storedCrc(block);
}

export function hasMagic(block: Uint8Array, magic: Uint8Array): boolean {
  for (let index = 0; index < magic.length; index += 1) if (block[index] !== magic[index]) return false;
  return true;
}

/** By CRC, which is many times faster than looking at each byte and as sure as all else that is said of a block. */
export function isAllZero(block: Uint8Array): boolean {
  return block[0] === 0 && crc32(block) === ZERO_BLOCK_CRC;
}

export function viewOf(block: Uint8Array): DataView {
  return new DataView(block.buffer, block.byteOffset, block.byteLength);
}

/** Eight bytes of ASCII, zero at the end. */
export function magicOf(name: string): Uint8Array {
  return new TextEncoder().encode(`${name}\0`);
}

/** Of 4096 zeroes. */
const ZERO_BLOCK_CRC = crc32(new Uint8Array(METADATA_PAGE_BYTES));

export const CRC_OFFSET = 8;
export const CRC_BYTES = 4;

/** The CRC field is zeroed for the moment of the calculation: one pass of the CRC instead of three. */
function contentCrc(block: Uint8Array): number {
  const stored = storedCrc(block);
  setCrc(block, 0);
  const actual = crc32(block);
  setCrc(block, stored);
  return actual;
}

function storedCrc(block: Uint8Array): number {
  const low = block[CRC_OFFSET]! | (block[CRC_OFFSET + 1]! << 8);
  return (low | (block[CRC_OFFSET + 2]! << 16) | (block[CRC_OFFSET + 3]! << 24)) >>> 0;
}

function setCrc(block: Uint8Array, value: number): void {
  block[CRC_OFFSET] = value;
  block[CRC_OFFSET + 1] = value >>> 8;
  block[CRC_OFFSET + 2] = value >>> 16;
  block[CRC_OFFSET + 3] = value >>> 24;
}
