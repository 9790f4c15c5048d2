import { assert } from '../../base/assert.js';
import { MAX_TRANSFER_BYTES } from '../../ports/served-device.js';

/** What every client may send (protocol: "Block size constraints"); announced as the maximum payload. */
export const MAX_PAYLOAD_BYTES = 32 << 20;
/** A longer write is answered with EINVAL if its payload can be skipped within this; beyond it is an attack. */
export const MAX_SKIPPED_PAYLOAD_BYTES = 64 << 20;

/** Where a connection receives headers and small payloads: about thirty 4 KiB writes for one system call. */
export const INBOX_BYTES = 128 << 10;
/** Inboxes are carved out of blocks of this size, so that idle connections can't leave holes all over the pool. */
export const INBOX_SLAB_BYTES = 1 << 20;
/** Extra inboxes for connections whose last one is still being written to the device from. */
export const SPARE_INBOXES = 64;
/** With less room than this behind the last byte a receive is not worth its system call: the inbox is rewound. */
export const INBOX_ROOM_BYTES = 8 << 10;
/** Write payloads up to this are collected in the inbox; larger ones are received straight into a buffer. */
export const SMALL_WRITE_BYTES = 32 << 10;
/** Large writes reach the device in pieces of this size; a client that stops in the middle holds no more memory. */
export const WRITE_CHUNK_BYTES = 128 << 10;

/** Requests of one connection, from their header to their sent reply. Linux has 128 in flight, nbdcopy 64. */
export const MAX_REQUESTS_PER_CONNECTION = 256;
/** Requests of all connections. */
export const REQUEST_CAPACITY = 4096;
/** Read data one connection may hold (one request may be larger): nbdcopy's 64 x 256 KiB fit. */
export const READ_BYTES_PER_CONNECTION = 16 << 20;
/** Device reads that one read request is cut into. */
export const MAX_PIECES = MAX_PAYLOAD_BYTES / MAX_TRANSFER_BYTES;
/** Room for the longest reply header: an ERROR_OFFSET chunk with its text. */
export const REPLY_HEADER_BYTES = 128;
/** Most bytes of one send: a slow client that takes this much in `STALL_MS` is not seen as stalled. */
export const SEND_BATCH_BYTES = 2 << 20;
/** Header and data of 256 replies; also within UIO_MAXIOV. */
export const SEND_SEGMENTS = 512;

/** One chunk of BLOCK_STATUS, header included: 4,093 extents. Fewer than asked for is legal. */
export const STATUS_CHUNK_BYTES = 32 << 10;

export const MAX_CONNECTIONS = 256;
/** A client has this long from the greeting to GO. */
export const HANDSHAKE_MS = 10_000;
/** Options one client may send; list tools ask for INFO of every export. */
export const MAX_OPTIONS = 256 + 32;
export const MAX_OPTION_DATA_BYTES = 64 << 10;
/** Option replies are built in the last part of the inbox. */
export const HANDSHAKE_OUTBOX_BYTES = 16 << 10;
export const MAX_CONTEXT_QUERIES = 256;

/** A client that holds shared memory and neither takes replies nor sends its payload for this long is closed. */
export const STALL_MS = 60_000;
/** How often stalls are looked for. */
export const TICK_MS = 15_000;
export const STALL_TICKS = STALL_MS / TICK_MS + 1;
/** After `stop`, clients have this long to take their last replies. */
export const STOP_GRACE_MS = 5_000;

assert(INBOX_SLAB_BYTES % INBOX_BYTES === 0, 'a slab holds whole inboxes');
assert(
  INBOX_BYTES - HANDSHAKE_OUTBOX_BYTES >= MAX_OPTION_DATA_BYTES + 16,
  'the largest option fits the inbox',
);
assert(SMALL_WRITE_BYTES + INBOX_ROOM_BYTES < INBOX_BYTES, 'a small write fits the inbox');
assert(WRITE_CHUNK_BYTES <= MAX_TRANSFER_BYTES, 'a write chunk is one device write');
assert(SEND_SEGMENTS > MAX_PIECES + 1, 'a reply fits a batch');
assert(REQUEST_CAPACITY >= MAX_CONNECTIONS * 2, 'connections that wait for memory leave requests to others');
