/**
 * Numbers of linux/io_uring.h (UAPI), the same on x86-64 and arm64, little-endian. All fields are used through
 * arrays of 32-bit words, so places are given in words where a name says `_WORD`, else in bytes.
 */

/** Opcodes of a submission queue entry. */
export const OP = {
  NOP: 0,
  FSYNC: 3,
  READ_FIXED: 4,
  WRITE_FIXED: 5,
  SENDMSG: 9,
  ACCEPT: 13,
  ASYNC_CANCEL: 14,
  FALLOCATE: 17,
  READ: 22,
  WRITE: 23,
  RECV: 27,
  URING_CMD: 46,
} as const;

/** Opcodes of io_uring_register. */
export const REGISTER = { BUFFERS2: 15 } as const;

/** struct io_uring_rsrc_register: byte offsets; SPARSE makes a table of empty places. */
export const RSRC_REGISTER = { SIZE_BYTES: 32, COUNT: 0, FLAGS: 4, SPARSE: 1 } as const;

/** Flags of io_uring_setup. */
export const SETUP = {
  CQSIZE: 0x8,
  CLAMP: 0x10,
  SUBMIT_ALL: 0x80,
  COOP_TASKRUN: 0x100,
  TASKRUN_FLAG: 0x200,
  /** Submission entries of 128 bytes. */
  SQE128: 0x400,
  SINGLE_ISSUER: 0x1000,
  DEFER_TASKRUN: 0x2000,
} as const;

/** Bits of the features word that io_uring_setup answers with. */
export const FEATURE = {
  SINGLE_MMAP: 1 << 0,
  NODROP: 1 << 1,
  EXT_ARG: 1 << 8,
  MIN_TIMEOUT: 1 << 15,
} as const;

/** Flags of io_uring_enter. */
export const ENTER = { GETEVENTS: 1, EXT_ARG: 8 } as const;

/** Flags that the kernel shows in the submission ring. */
export const SQ_FLAG = { CQ_OVERFLOW: 2, TASKRUN: 4 } as const;

/** Flags of a completion. */
export const CQE_FLAG = { MORE: 2 } as const;

/** `ioprio` of ACCEPT. */
export const ACCEPT_MULTISHOT = 1;

/** struct io_uring_params: byte offsets. */
export const PARAMS = {
  SIZE_BYTES: 120,
  SQ_ENTRIES: 0,
  CQ_ENTRIES: 4,
  FLAGS: 8,
  FEATURES: 20,
  SQ_HEAD: 40,
  SQ_TAIL: 44,
  SQ_FLAGS: 56,
  SQ_ARRAY: 64,
  CQ_HEAD: 80,
  CQ_TAIL: 84,
  CQ_CQES: 100,
} as const;

/** Flags of a submission queue entry. */
export const SQE_FLAG = { IO_LINK: 4 } as const;

/** mmap offset of the submission entries on the ring's descriptor; both rings are at 0 (FEATURE.SINGLE_MMAP). */
export const SQE_MAP_OFFSET = 0x10000000;

export const SQE_BYTES = 64;
export const CQE_BYTES = 16;
export const SQE_WORDS = SQE_BYTES / 4;
export const CQE_WORDS = CQE_BYTES / 4;

/** struct io_uring_sqe. The first word is opcode | flags << 8 | ioprio << 16. */
export const SQE_WORD = {
  HEAD: 0,
  FD: 1,
  OFFSET_LOW: 2,
  OFFSET_HIGH: 3,
  ADDRESS_LOW: 4,
  ADDRESS_HIGH: 5,
  LENGTH: 6,
  OP_FLAGS: 7,
  USER_DATA_LOW: 8,
  USER_DATA_HIGH: 9,
  BUFFER: 10,
  FILE_INDEX: 11,
  ADDRESS3_LOW: 12,
  ADDRESS3_HIGH: 13,
  PAD_LOW: 14,
  PAD_HIGH: 15,
} as const;

/** struct io_uring_cqe. */
export const CQE_WORD = { USER_DATA_LOW: 0, USER_DATA_HIGH: 1, RESULT: 2, FLAGS: 3 } as const;

/** struct io_uring_getevents_arg, followed in our memory by the struct __kernel_timespec it points to. */
export const EXT_ARG = { SIZE_BYTES: 24, SIGMASK_BYTES: 8, TIMESPEC_POINTER: 16 } as const;
