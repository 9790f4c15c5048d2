import { SECTOR_BYTES } from '../base/units.js';

/**
 * What the simulated clients write: every sector says at both ends which version of which logical block it is, so that
 * whatever turns up anywhere can be told: an older version, another block's data, or half of something.
 */
export const Version = {
  /** All zero. */
  zero: 0,
  /** What the main device held before the set was made. */
  initial: 1,
  firstWritten: 2,
  /** Discarded: anything may be read. */
  anything: -1,
  /** Not of one piece, or nothing that a client wrote. */
  garbage: -2,
  /** Of another logical block. */
  foreign: -3,
} as const;

/** Fills one logical block. `version` >= `initial`. */
export function fillBlock(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  blockBytes: number,
  block: number,
  version: number,
): void {
  bytes.fill(version & 0xff, offset, offset + blockBytes);
  for (let at = offset; at < offset + blockBytes; at += SECTOR_BYTES) {
    view.setUint32(at, version, true);
    view.setUint32(at + 4, block, true);
    view.setUint32(at + SECTOR_BYTES - 8, block ^ BLOCK_MARK, true);
    view.setUint32(at + SECTOR_BYTES - 4, version, true);
  }
}

/** The version that a place of `block` holds; `zero`, `garbage` or `foreign` where it holds none of it. */
export function versionAt(view: DataView, offset: number, blockBytes: number, block: number): number {
  const version = view.getUint32(offset, true);
  if (version === 0 && isZero(view, offset, blockBytes)) return Version.zero;
  for (let at = offset; at < offset + blockBytes; at += SECTOR_BYTES) {
    if (view.getUint32(at, true) !== version || !isWhole(view, at)) return Version.garbage;
    if (view.getUint32(at + 4, true) !== block) return Version.foreign;
  }
  return version;
}

/** The logical block that this place holds a version of, or -1. */
export function blockNumberAt(view: DataView, offset: number, blockBytes: number): number {
  const block = view.getUint32(offset + 4, true);
  return versionAt(view, offset, blockBytes, block) > 0 ? block : -1;
}

function isWhole(view: DataView, at: number): boolean {
  const version = view.getUint32(at, true);
  if (version === 0 || view.getUint32(at + SECTOR_BYTES - 4, true) !== version) return false;
  if ((view.getUint32(at + SECTOR_BYTES - 8, true) ^ BLOCK_MARK) >>> 0 !== view.getUint32(at + 4, true))
    return false;
  return view.getUint8(at + MIDDLE) === (version & 0xff);
}

/** Looked at in a few places only: nothing that a client writes has zeroes there. */
function isZero(view: DataView, offset: number, blockBytes: number): boolean {
  for (let at = offset; at < offset + blockBytes; at += SECTOR_BYTES) {
    if (view.getUint32(at, true) !== 0 || view.getUint32(at + SECTOR_BYTES - 4, true) !== 0) return false;
    if (view.getUint32(at + 4, true) !== 0 || view.getUint32(at + MIDDLE, true) !== 0) return false;
  }
  return true;
}

/** Tells the end of a sector from its beginning. */
const BLOCK_MARK = 0x5a5a5a5a;
const MIDDLE = 256;
