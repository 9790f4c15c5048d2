/**
 * Numbers of linux/ublk_cmd.h (UAPI, Linux 6.0 to 6.18), the same on x86-64 and arm64, little-endian. Places are
 * byte offsets.
 */

/** URING_CMD operations on /dev/ublk-control, in the ioctl encoding (Linux 6.4); the low byte alone is the older form. */
export const CONTROL = {
  GET_DEV_INFO: 0x8020_7502,
  ADD_DEV: 0xc020_7504,
  DEL_DEV: 0xc020_7505,
  START_DEV: 0xc020_7506,
  STOP_DEV: 0xc020_7507,
  SET_PARAMS: 0xc020_7508,
  START_USER_RECOVERY: 0xc020_7510,
  END_USER_RECOVERY: 0xc020_7511,
  GET_FEATURES: 0x8020_7513,
  /** Linux 6.9. */
  DEL_DEV_ASYNC: 0x8020_7514,
} as const;

/** struct ublksrv_ctrl_cmd, at byte 48 of the 128-byte submission entry. */
export const CONTROL_CMD = { DEV_ID: 0, QUEUE_ID: 4, LENGTH: 6, ADDRESS: 8, DATA: 16 } as const;

/** URING_CMD operations on /dev/ublkcN. */
export const QUEUE_COMMAND = { FETCH_REQ: 0xc010_7520, COMMIT_AND_FETCH_REQ: 0xc010_7521 } as const;

/** struct ublksrv_ctrl_dev_info. */
export const DEV_INFO = {
  SIZE_BYTES: 64,
  QUEUE_COUNT: 0,
  QUEUE_DEPTH: 2,
  STATE: 4,
  MAX_IO_BUFFER_BYTES: 8,
  DEV_ID: 12,
  SERVER_PID: 16,
  FLAGS: 24,
  SERVER_FLAGS: 32,
} as const;

/** dev_info.state. */
export const DEVICE_STATE = { DEAD: 0, LIVE: 1, QUIESCED: 2, FAIL_IO: 3 } as const;

/** dev_info.flags. A driver silently clears those that it does not know. */
export const FEATURE_FLAG = {
  USER_RECOVERY: 0x8,
  USER_RECOVERY_REISSUE: 0x10,
  USER_COPY: 0x80,
  AUTO_BUF_REG: 0x800,
} as const;

/** struct ublk_params; shorter lengths leave out what stands behind. */
export const PARAMS = {
  SIZE_BYTES: 136,
  LENGTH: 0,
  TYPES: 4,
  ATTRIBUTES: 8,
  LOGICAL_BLOCK_SHIFT: 12,
  PHYSICAL_BLOCK_SHIFT: 13,
  OPTIMAL_IO_SHIFT: 14,
  MINIMUM_IO_SHIFT: 15,
  MAX_SECTORS: 16,
  CHUNK_SECTORS: 20,
  DEVICE_SECTORS: 24,
  VIRT_BOUNDARY_MASK: 32,
  DISCARD_ALIGNMENT: 40,
  DISCARD_GRANULARITY: 44,
  MAX_DISCARD_SECTORS: 48,
  MAX_WRITE_ZEROES_SECTORS: 52,
  MAX_DISCARD_SEGMENTS: 56,
  DMA_ALIGNMENT_MASK: 108,
} as const;

export const PARAM_TYPE = { BASIC: 1, DISCARD: 2, DMA_ALIGN: 0x10 } as const;

/** `PARAMS.ATTRIBUTES`. FUA counts only together with VOLATILE_CACHE. */
export const ATTRIBUTE = { READ_ONLY: 1, ROTATIONAL: 2, VOLATILE_CACHE: 4, FUA: 8 } as const;

/** struct ublksrv_io_desc. */
export const IO_DESC_BYTES = 24;

/** A queue's descriptors are mapped at its number times the space of the largest queue (UBLK_MAX_QUEUE_DEPTH). */
export const MAX_QUEUE_DEPTH = 4096;

/** USER_COPY: where the data of a request is in the file /dev/ublkcN: base + queue * 2^41 + tag * 2^25 + byte. */
export const USER_COPY_BASE = 0x8000_0000;
export const USER_COPY_QUEUE_BYTES = 2 ** 41;
export const USER_COPY_TAG_BYTES = 2 ** 25;

/** struct ublk_auto_buf_reg: buffer number in the low 16 bits; with FALLBACK a failure is told instead of being EIO. */
export const AUTO_BUFFER_FALLBACK = 1 << 16;
