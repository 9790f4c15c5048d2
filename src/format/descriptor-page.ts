import { assert } from '../base/assert.js';
import { readU64, writeU64 } from '../base/little-endian.js';
import { MAX_SEQUENCE, METADATA_PAGE_BYTES } from './layout.js';
import { hasMagic, hasValidSeal, isAllZero, magicOf, seal, viewOf } from './sealed-block.js';
import { sameUuid } from './set-id.js';
import { slotOf } from './superblock.js';

/**
 * Makes 4096 bytes, whose descriptors are in place already (`writeDescriptor`), a page of this identity, sealed.
 * The same bytes can be sealed again for the next copy.
 */
export function sealPage(
  page: Uint8Array,
  identity: PageIdentity,
  sequence: number,
  generation: number,
): void {
  assert(page.length === METADATA_PAGE_BYTES, `a page of ${page.length} bytes`);
  assert(identity.slot === slotOf(sequence), `sequence ${sequence} does not belong to slot ${identity.slot}`);
  const view = viewOf(page);
  page.set(PAGE_MAGIC);
  view.setUint16(COPY_INDEX_AT, identity.copyIndex, true);
  view.setUint16(SLOT_AT, identity.slot, true);
  page.set(identity.setId, SET_ID_AT);
  writeU64(view, PAGE_INDEX_AT, identity.pageIndex);
  writeU64(view, SEQUENCE_AT, sequence);
  writeU64(view, GENERATION_AT, generation);
  writeU64(view, RESERVED_AT, 0);
  seal(page);
}

/** Which page this is, of which set, in which copy, in which of its two slots. */
export interface PageIdentity {
  readonly setId: Uint8Array;
  readonly copyIndex: number;
  readonly slot: number;
  readonly pageIndex: number;
}

/** Judges 4096 bytes read from the place of this page. Only after 'good' may anything in them be used. */
export function verifyPage(page: Uint8Array, expected: PageIdentity): PageVerdict {
  if (!hasMagic(page, PAGE_MAGIC)) return isAllZero(page) ? 'blank' : 'notOurs';
  if (!hasValidSeal(page)) return 'badChecksum';
  const view = viewOf(page);
  if (!sameUuid(page.subarray(SET_ID_AT, PAGE_INDEX_AT), expected.setId)) return 'foreignSet';
  const inPlace =
    view.getUint16(COPY_INDEX_AT, true) === expected.copyIndex &&
    view.getUint16(SLOT_AT, true) === expected.slot &&
    readU64(view, PAGE_INDEX_AT) === expected.pageIndex &&
    slotOf(pageSequence(page)) === expected.slot &&
    pageSequence(page) <= MAX_SEQUENCE &&
    pageGeneration(page) <= MAX_SEQUENCE;
  return inPlace ? 'good' : 'misplaced';
}

export type PageVerdict =
  | 'good'
  /** All zero. */
  | 'blank'
  | 'notOurs'
  /** Torn or rotten. */
  | 'badChecksum'
  /** Whole, of another set: left over from an earlier format, or from another device. */
  | 'foreignSet'
  /** Whole and of this set, yet made for another place: a misdirected write or read. */
  | 'misplaced';

/** One more with every update of the page; its lowest bit is the slot. */
export function pageSequence(page: Uint8Array): number {
  return readU64(viewOf(page), SEQUENCE_AT);
}

/** The page is valid from this generation of the set on. */
export function pageGeneration(page: Uint8Array): number {
  return readU64(viewOf(page), GENERATION_AT);
}

/** What a spare unit holds. Where its descriptor lies: `descriptorOffsetBytes` in `layout.ts`. */
export interface Descriptor {
  /** One of `DescriptorState`. */
  state: number;
  /** The main unit whose contents are here; 0 unless mapped. */
  mainUnit: number;
  /** Bit n: logical block n of the unit has no contents. An unsigned 32-bit number. */
  lostMask: number;
  /** When it got this state, in seconds since 1970. */
  timeSeconds: number;
  /** Errors seen on this spare unit, 65535 at most. */
  errorCount: number;
  /** Modulo 256: one more than the place the main unit was at before (`isLaterMove`). */
  moveCount: number;
  /** One of `DescriptorReason`; others come from newer programs. */
  reason: number;
}

export const DescriptorState = { free: 0, mapped: 1, retired: 2 } as const;

/** Why a unit was moved or retired. */
export const DescriptorReason = {
  none: 0,
  writeError: 1,
  readError: 2,
  recoveredRead: 3,
  spareError: 4,
  manual: 5,
  imported: 6,
} as const;

/** Writes a descriptor at `offset`; the page must be sealed afterwards. */
export function writeDescriptor(view: DataView, offset: number, descriptor: Readonly<Descriptor>): void {
  const { errorCount, moveCount, state, reason } = descriptor;
  assert(errorCount <= 0xffff && moveCount <= 0xff && reason <= 0xff, 'descriptor fields fit their widths');
  assert(state <= DescriptorState.retired, `descriptor state ${state}`);
  writeU64(view, offset, descriptor.mainUnit);
  writeU64(view, offset + 8, descriptor.lostMask);
  writeU64(view, offset + 16, descriptor.timeSeconds);
  view.setUint16(offset + 24, errorCount, true);
  view.setUint8(offset + 26, moveCount);
  view.setUint8(offset + 27, state);
  view.setUint32(offset + 28, reason, true);
}

/**
 * Reads the descriptor at `offset` of a good page. False when this version can't have written it (an unknown state,
 * a number beyond 2^53, a lost mask of more than 32 bits): the page must not be used then. Whether `mainUnit` and
 * `lostMask` fit the device is the caller's to check.
 */
export function readDescriptor(view: DataView, offset: number, into: Descriptor): boolean {
  into.mainUnit = readU64(view, offset);
  into.lostMask = view.getUint32(offset + 8, true);
  into.timeSeconds = readU64(view, offset + 16);
  into.errorCount = view.getUint16(offset + 24, true);
  into.moveCount = view.getUint8(offset + 26);
  into.state = view.getUint8(offset + 27);
  into.reason = view.getUint8(offset + 28);
  if (into.state > DescriptorState.retired || view.getUint32(offset + 12, true) !== 0) return false;
  return Number.isSafeInteger(into.mainUnit) && Number.isSafeInteger(into.timeSeconds);
}

export function emptyDescriptor(): Descriptor {
  return { state: 0, mainUnit: 0, lostMask: 0, timeSeconds: 0, errorCount: 0, moveCount: 0, reason: 0 };
}

/**
 * Of two descriptors that claim one main unit, whether the first is the newer place. A power cut between writing the
 * new place and retiring the old one leaves two, one move apart; the counter has 8 bits and wraps.
 */
export function isLaterMove(moveCount: number, otherMoveCount: number): boolean {
  const ahead = (moveCount - otherMoveCount) & 0xff;
  return ahead !== 0 && ahead < 128;
}

export const PAGE_MAGIC = magicOf('DMRPAGE');

const COPY_INDEX_AT = 12;
const SLOT_AT = 14;
const SET_ID_AT = 16;
const PAGE_INDEX_AT = 32;
const SEQUENCE_AT = 40;
const GENERATION_AT = 48;
const RESERVED_AT = 56;
