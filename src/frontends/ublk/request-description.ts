/** struct ublksrv_io_desc and the numbers in it (linux/ublk_cmd.h): one request, in 32-bit words. */
export const DESCRIPTION_WORD = {
  OPERATION: 0,
  SECTOR_COUNT: 1,
  START_SECTOR_LOW: 2,
  START_SECTOR_HIGH: 3,
} as const;

export const DESCRIPTION_WORDS = 6;

/** The low byte of the first word. */
export const UblkOperation = {
  read: 0,
  write: 1,
  /** Its start sector is 2^64 - 1 and means nothing. */
  flush: 2,
  discard: 3,
  writeZeroes: 5,
} as const;

export const OPERATION_MASK = 0xff;

/** Bits of the first word above the operation. */
export const UblkFlag = {
  /** Durable before it is answered. */
  fua: 1 << 13,
  /** WRITE_ZEROES: the space must stay allocated. */
  noUnmap: 1 << 15,
  /** Zero copy: the kernel could not register the request's buffer. */
  needsBuffer: 1 << 17,
} as const;
