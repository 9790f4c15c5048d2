import { mapMemory } from './aligned-memory.js';
import { fstatfs } from './ffi.js';

/**
 * Whether an open file lives in memory (tmpfs, ramfs). io_uring hands I/O on these to a kernel thread, which costs
 * many times the copy itself, so they are read and written inline. False where the question fails.
 */
export function isMemoryFile(fd: number): boolean {
  const answer = mapMemory(STATFS_BYTES);
  try {
    if (fstatfs(fd, answer.address) < 0) return false;
    // struct statfs: f_type is the first word on x86-64 and arm64; the magic numbers fit its lower half.
    const type = answer.view.getUint32(0, true);
    return type === TMPFS_MAGIC || type === RAMFS_MAGIC;
  } finally {
    answer.unmap();
  }
}

/** linux/magic.h */
const TMPFS_MAGIC = 0x0102_1994;
const RAMFS_MAGIC = 0x8584_58f6;
/** struct statfs is 120 bytes. */
const STATFS_BYTES = 128;
