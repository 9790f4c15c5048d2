/**
 * Contents that describe themselves: every sector of 512 bytes says where it belongs and of which writing it is, so
 * that a wrong, a neighbour's, a stale and a torn sector can be told apart. Layout, little endian: magic, u32 address
 * low, u32 address high, u32 generation, then words computed from those.
 */
export type SectorContents =
  | { readonly kind: 'pattern'; readonly lba: number; readonly generation: number }
  | { readonly kind: 'zeroes' }
  /** Starts as a pattern, goes on otherwise. */
  | { readonly kind: 'torn'; readonly lba: number; readonly generation: number }
  | { readonly kind: 'foreign' };

export const SECTOR_BYTES = 512;

/** Writes the pattern of sectors `lba`, `lba + 1` ... over all of `bytes`. */
export function fillPattern(bytes: Uint8Array, lba: number, generation: number): void {
  const words = wordsOf(bytes);
  for (let sector = 0; sector * WORDS < words.length; sector++) {
    const address = lba + sector;
    const start = sector * WORDS;
    words[start] = MAGIC;
    words[start + 1] = address >>> 0;
    words[start + 2] = Math.floor(address / 2 ** 32);
    words[start + 3] = generation;
    const seed = seedOf(address, generation);
    for (let word = HEADER_WORDS; word < WORDS; word++) words[start + word] = Math.imul(seed, word) >>> 0;
  }
}

/** What the sectors in `bytes` hold. */
export function readPattern(bytes: Uint8Array): SectorContents[] {
  const words = wordsOf(bytes);
  return Array.from({ length: words.length / WORDS }, (_, sector) => contentsOf(words, sector * WORDS));
}

/** For messages. */
export function describeContents(contents: SectorContents): string {
  if (contents.kind === 'zeroes' || contents.kind === 'foreign') return contents.kind;
  const where = `sector ${contents.lba} of generation ${contents.generation}`;
  return contents.kind === 'torn' ? `torn ${where}` : where;
}

function contentsOf(words: Uint32Array, start: number): SectorContents {
  if (words[start] !== MAGIC) return { kind: isZero(words, start) ? 'zeroes' : 'foreign' };
  const lba = words[start + 1]! + words[start + 2]! * 2 ** 32;
  const generation = words[start + 3]!;
  const seed = seedOf(lba, generation);
  for (let word = HEADER_WORDS; word < WORDS; word++) {
    if (words[start + word] !== Math.imul(seed, word) >>> 0) return { kind: 'torn', lba, generation };
  }
  return { kind: 'pattern', lba, generation };
}

function isZero(words: Uint32Array, start: number): boolean {
  return words.subarray(start, start + WORDS).every((word) => word === 0);
}

/** Odd, so that every word of a sector differs. */
function seedOf(lba: number, generation: number): number {
  return (Math.imul(lba + 1, 0x9e37_79b1) ^ Math.imul(generation + 1, 0x85eb_ca6b)) | 1;
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

const WORDS = SECTOR_BYTES / 4;
const HEADER_WORDS = 4;
const MAGIC = 0x6d72_6d64;
