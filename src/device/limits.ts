import { assert } from '../base/assert.js';
import { TARGET_COUNT } from '../engine/effect.js';
import { MAX_TRANSFER_BYTES } from '../ports/served-device.js';

/** Every maximum of a device at work, with its reason. */

/** Requests in hand at once: 8 connections of 128, the depth of the kernel's NBD client. */
export const SLOT_COUNT = 1024;

/** Parts of requests in flight at once; one largest request with 512-byte units needs 2048. */
export const RUN_COUNT = 4096;

/** Requests in hand at once on one queue of another thread; the largest depth of a ublk queue is 4096, 128 its default. */
export const QUEUE_SLOT_COUNT = 1024;

/** Parts of requests in flight at once on such a queue. A request that finds too few is the owner's. */
export const QUEUE_RUN_COUNT = 1024;

/** What a store of such a queue must be able to tell apart. */
export const QUEUE_TICKET_COUNT = QUEUE_SLOT_COUNT + QUEUE_RUN_COUNT;

/** I/Os of cold-path procedures in flight at once; more are put off. */
export const COLD_TICKET_COUNT = 512;

export const FIRST_COLD_TICKET = SLOT_COUNT + RUN_COUNT;
/** What a store must be able to tell apart: flushes take turns, and have a ticket for each disk. */
export const TICKET_COUNT = FIRST_COLD_TICKET + COLD_TICKET_COUNT + TARGET_COUNT;

/** The same of a store that is only used by procedures. */
export const OFFLINE_TICKET_COUNT = COLD_TICKET_COUNT + TARGET_COUNT;

/** Descriptor pages written by one commit: more changes than that make several. */
export const MAX_COMMIT_PAGES = 32;

/** Descriptor pages that are made usable at once when a spare fills up, and so rarely a superblock write. */
export const WATERMARK_STEP_PAGES = 32;

/** Metadata is read at start in pieces of this size per copy. */
export const RECOVERY_READ_BYTES = 1 << 20;

/** Regions copied to a replacement at once: one is read while the other is written. */
export const COPIER_COUNT = 2;

/** While a set is copied to another disk: what was copied since may be copied again after a crash. */
export const SETTLE_PERIOD_MS = 10_000;

/** Zeroes are written in pieces of this size where the device has no command for it. */
export const ZEROES_BYTES = 256 << 10;

assert(RUN_COUNT >= MAX_TRANSFER_BYTES / 512 + 8, 'the largest request fits, and a flush beside it');
