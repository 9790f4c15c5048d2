import { NOT_EXACT, readU64 } from '../../base/little-endian.js';
import { viewOf } from '../sealed-block.js';

/**
 * Does a sector begin with the record of the module's shell tool `dm-remap-write-metadata`? It has the magic of the
 * module's own record, but another layout: no checksum, a structure size of 2048, and no remaps.
 */
export function isScriptRecord(bytes: Uint8Array): boolean {
  if (bytes.length < SCRIPT_RECORD_BYTES) return false;
  const view = viewOf(bytes);
  return (
    view.getUint32(0, true) === MAGIC && view.getUint32(24, true) === 0 && view.getUint32(32, true) === 2048
  );
}

/** What the tool wrote down: which devices belong together, and nothing about sectors. */
export function decodeScriptRecord(bytes: Uint8Array): ScriptRecord | undefined {
  if (!isScriptRecord(bytes)) return undefined;
  const view = viewOf(bytes);
  return {
    mainSectors: exactOrZero(readU64(view, 114)),
    spareSectors: exactOrZero(readU64(view, 122)),
    mainPath: textAt(bytes, 144),
    sparePath: textAt(bytes, 272),
  };
}

export interface ScriptRecord {
  /** 0: not said. */
  readonly mainSectors: number;
  readonly spareSectors: number;
  /** As they were called then; printable ASCII, possibly empty. */
  readonly mainPath: string;
  readonly sparePath: string;
}

function exactOrZero(value: number): number {
  return value === NOT_EXACT ? 0 : value;
}

/** Padded with blanks or zeroes; anything that a terminal might take amiss becomes a question mark. */
function textAt(bytes: Uint8Array, at: number): string {
  const text = String.fromCharCode(...bytes.subarray(at, at + PATH_BYTES));
  return text.replace(/[\0 ]+$/, '').replace(/[^\x20-\x7e]/g, '?');
}

export const SCRIPT_RECORD_BYTES = 512;
const PATH_BYTES = 128;
const MAGIC = 0x444d_5234;
