import { fallocate } from './ffi.js';
import { type InFlightTable, Operation } from './in-flight-table.js';

/**
 * linux/falloc.h. On a block device `punch` zeroes only if the device can without being sent the zeroes, `zero`
 * falls back to writing them; tmpfs and others refuse `zero` with EOPNOTSUPP.
 */
export const FallocateMode = {
  /** PUNCH_HOLE | KEEP_SIZE: reads as zeroes, the space is given up. */
  punch: 0x03,
  /** ZERO_RANGE | KEEP_SIZE: reads as zeroes, the space stays reserved. */
  zero: 0x11,
} as const;

/** Discarding and unmapping zeroes are the same hole to a file. */
export function fallocateMode(operation: number): number {
  return operation === Operation.zero ? FallocateMode.zero : FallocateMode.punch;
}

/** Does the discard or zeroing of a ticket on the calling thread; 0 or a negative errno. */
export function fallocateNow(fd: number, table: InFlightTable, ticket: number): number {
  const mode = fallocateMode(table.operation[ticket]!);
  return fallocate(fd, mode, table.offsetBytes[ticket]!, table.lengthBytes[ticket]!);
}
