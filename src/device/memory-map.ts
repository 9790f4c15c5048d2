import type { Scratch } from '../engine/cold-context.js';
import type { CopyRoom } from '../engine/copy-region.js';
import { MAX_COLD_PROCEDURES, REGION_BYTES } from '../engine/limits.js';
import { SAMPLE_BYTES } from '../format/fingerprint.js';
import { MAX_COPIES, MAX_UNIT_BYTES, METADATA_PAGE_BYTES } from '../format/layout.js';
import { COPIER_COUNT, MAX_COMMIT_PAGES, RECOVERY_READ_BYTES, ZEROES_BYTES } from './limits.js';

/**
 * How the I/O memory of a device is divided. What relocations and commits need is set aside, so that requests that
 * wait for them can't starve them.
 */
export interface ColdMemory {
  readonly zeroes: { readonly memoryOffset: number; readonly lengthBytes: number };
  readonly scratches: readonly Scratch[];
  /** For looking after devices that are gone. */
  readonly watchScratch: Scratch;
  /** For units that are moved by hand. */
  readonly handScratch: Scratch;
  /** For filling a replacement of the main device, one for each copier. */
  readonly copyRooms: readonly CopyRoom[];
  /** Room for one block of a content sample. */
  readonly sampleOffset: number;
  /** Room for `MAX_COMMIT_PAGES` pages of every copy. */
  readonly commitOffset: number;
  /** Room for `RECOVERY_READ_BYTES` of every copy. */
  readonly recoveryOffset: number;
  /** Where payload memory starts. */
  readonly endOffset: number;
}

export function layOutColdMemory(): ColdMemory {
  let at = 0;
  const take = (lengthBytes: number): number => {
    at += lengthBytes;
    return at - lengthBytes;
  };
  const zeroes = { memoryOffset: take(ZEROES_BYTES), lengthBytes: ZEROES_BYTES };
  const takeScratch = (): Scratch => ({
    unitOffset: take(MAX_UNIT_BYTES),
    probeOffset: take(METADATA_PAGE_BYTES),
  });
  const scratches = Array.from({ length: MAX_COLD_PROCEDURES }, takeScratch);
  const watchScratch = takeScratch();
  const handScratch = takeScratch();
  const takeCopyRoom = (): CopyRoom => ({ bufferOffset: take(REGION_BYTES), scratch: takeScratch() });
  const copyRooms = Array.from({ length: COPIER_COUNT }, takeCopyRoom);
  const sampleOffset = take(SAMPLE_BYTES);
  const commitOffset = take(MAX_COPIES * MAX_COMMIT_PAGES * METADATA_PAGE_BYTES);
  const recoveryOffset = take(MAX_COPIES * RECOVERY_READ_BYTES);
  return {
    zeroes,
    scratches,
    watchScratch,
    handScratch,
    copyRooms,
    sampleOffset,
    commitOffset,
    recoveryOffset,
    endOffset: at,
  };
}
