import { errnoName } from '../../../../src/base/errno.js';

/** The error code (`EIO`) that a call of the system failed with; null: it succeeded. Other failures are thrown. */
export async function errorCode(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    // Node has no names for some errors of block devices (ENOLINK, EBADE).
    return code.startsWith('E') || errno === undefined ? code : errnoName(-errno);
  }
}
