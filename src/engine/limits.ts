import { assert } from '../base/assert.js';
import { MAX_UNIT_BYTES } from '../format/layout.js';

/** Every maximum of the engine, with its reason; relations between them are asserted when this file is loaded. */

/** One byte of the region filter stands for this much of the main device. */
export const REGION_BYTES = 1 << 20;

/** Cold procedures at work at once; more wait. Each owns scratch memory for two units. */
export const MAX_COLD_PROCEDURES = 16;

/** Spare units tried for one relocation before the write is given up: a spare that fails so often is failing itself. */
export const MAX_SPARE_ATTEMPTS = 16;

/** A region that can't be read whole is copied to a replacement in pieces of this size: each is locked by itself. */
export const COPY_PIECE_BYTES = 128 << 10;

/** Discards and write-zeroes hold the lock of at most this much at a time, so that other requests get through. */
export const RANGE_CHUNK_BYTES = 64 << 20;

assert(REGION_BYTES % MAX_UNIT_BYTES === 0, 'a unit must lie in one region');
assert(COPY_PIECE_BYTES % MAX_UNIT_BYTES === 0, 'a unit must lie in one piece');
