import { assert } from '../base/assert.js';
import { crc32 } from '../base/crc32.js';
import { failed, ok, type Result } from '../base/result.js';
import { METADATA_PAGE_BYTES } from './layout.js';
import {
  CRC_BYTES,
  CRC_OFFSET,
  hasMagic,
  hasValidSeal,
  isAllZero,
  magicOf,
  seal,
  viewOf,
} from './sealed-block.js';
import { FORMAT_VERSION, KNOWN_FEATURES, type Superblock, slotOf } from './superblock.js';
import { isPlausible } from './superblock-check.js';
import {
  HEAD,
  readSuperblockFields,
  type SuperblockPlace,
  writeSuperblockFields,
} from './superblock-fields.js';

/**
 * Fills `into` (4096 bytes) with copy `copyIndex` of a superblock. The slot it belongs to is `slotOf(sequence)`.
 * A superblock that a reader would refuse is a bug and asserted.
 */
export function encodeSuperblock(into: Uint8Array, superblock: Superblock, copyIndex: number): void {
  assert(into.length === METADATA_PAGE_BYTES, `a superblock in ${into.length} bytes`);
  const { features } = superblock;
  assert(
    unknownBits(features.roCompat, KNOWN_FEATURES.roCompat) === 0,
    'such a set is open for reading only',
  );
  assert(unknownBits(features.incompat, KNOWN_FEATURES.incompat) === 0, 'such a set is never opened');
  const copy = superblock.copies[copyIndex];
  assert(copy !== undefined, `copy ${copyIndex} of ${superblock.copies.length}`);
  const place = { copyIndex, slot: slotOf(superblock.sequence), spareIndex: copy.spareIndex };
  const compat = (features.compat & KNOWN_FEATURES.compat) >>> 0;
  into.fill(0);
  into.set(SUPERBLOCK_MAGIC);
  writeSuperblockFields(viewOf(into), { ...superblock, features: { ...features, compat } }, place);
  seal(into);
  assert(decodeSuperblock(into).ok, 'a superblock that is written can be read');
}

/** Judges 4096 bytes from a place where a superblock may be. Never throws, whatever they hold. */
export function decodeSuperblock(block: Uint8Array): Result<DecodedSuperblock, SuperblockRefusal> {
  assert(block.length === METADATA_PAGE_BYTES, `a superblock in ${block.length} bytes`);
  if (!hasMagic(block, SUPERBLOCK_MAGIC)) return failed(isAllZero(block) ? 'blank' : 'notOurs');
  if (!hasValidSeal(block)) return failed('badChecksum');
  const view = viewOf(block);
  if (HEAD.formatVersion.read(view, HEAD.formatVersion.offset) !== FORMAT_VERSION)
    return failed('unsupportedVersion');
  const incompat = HEAD.incompat.read(view, HEAD.incompat.offset);
  if (unknownBits(incompat, KNOWN_FEATURES.incompat) !== 0) return failed('incompatibleFeature');
  const fields = readSuperblockFields(view);
  if (fields === undefined || !isPlausible(fields.superblock, fields.place)) return failed('implausible');
  const { superblock, place } = fields;
  const readOnly = unknownBits(superblock.features.roCompat, KNOWN_FEATURES.roCompat) !== 0;
  return ok({ superblock, ...place, readOnly, contentCrc: contentCrc(block) });
}

export interface DecodedSuperblock extends SuperblockPlace {
  readonly superblock: Superblock;
  /** It has a feature that this version must not write beside. */
  readonly readOnly: boolean;
  /** The same for all copies of one superblock, and only for them. */
  readonly contentCrc: number;
}

export type SuperblockRefusal =
  /** All zero: formatted over, or never used. */
  | 'blank'
  | 'notOurs'
  | 'badChecksum'
  /** Written whole, by a newer program. */
  | 'unsupportedVersion'
  | 'incompatibleFeature'
  /** Written whole, yet its numbers contradict each other or the format: a bug, or malice. */
  | 'implausible';

export const SUPERBLOCK_MAGIC = magicOf('DMREMAP');

function unknownBits(bits: number, known: number): number {
  return bits & ~known;
}

/**
 * CRC of everything but what differs from copy to copy. Settings and the position of a copying are left out: a program
 * that does not know them writes a superblock of one sequence to some copies without them (rule R1), and that is no
 * contradiction.
 */
export function contentCrc(block: Uint8Array): number {
  const common = block.slice();
  common.fill(0, CRC_OFFSET, CRC_OFFSET + CRC_BYTES);
  for (const { offset, sizeBytes } of UNCOMPARED) common.fill(0, offset, offset + sizeBytes);
  return crc32(common);
}

const UNCOMPARED = [
  ...[HEAD.copyIndex, HEAD.slot, HEAD.spareIndex, HEAD.settings],
  ...[HEAD.copyId, HEAD.copyPartBytes, HEAD.settledParts],
];
