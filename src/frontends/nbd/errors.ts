import { ERRNO } from '../../base/errno.js';

/** The only error numbers that may appear on the wire ("Error values"). */
export const NbdError = {
  none: 0,
  notPermitted: 1,
  io: 5,
  noMemory: 12,
  invalid: 22,
  noSpace: 28,
  overflow: 75,
  notSupported: 95,
  shuttingDown: 108,
} as const;

/**
 * The NBD error for an errno of the device: the only such map. ENOTSUP is for FAST_ZERO alone, so any other
 * EOPNOTSUPP is shown as EINVAL.
 */
export function nbdErrorOf(errno: number, fastZero: boolean): number {
  switch (errno) {
    case 0:
      return NbdError.none;
    case ERRNO.EPERM:
    case ERRNO.EACCES:
    case ERRNO.EROFS:
      return NbdError.notPermitted;
    case ERRNO.EINVAL:
      return NbdError.invalid;
    case ERRNO.ENOSPC:
    case ERRNO.EDQUOT:
    case ERRNO.EFBIG:
      return NbdError.noSpace;
    case ERRNO.EOPNOTSUPP:
      return fastZero ? NbdError.notSupported : NbdError.invalid;
    case ERRNO.ESHUTDOWN:
      return NbdError.shuttingDown;
    default:
      return NbdError.io;
  }
}

/** Which of two errors a request made of several device operations reports: EIO above all, else the first one. */
export function worseError(before: number, now: number): number {
  if (before === NbdError.none || now === NbdError.io) return now;
  return before;
}

const NO_TEXT = new Uint8Array(0);
const TEXTS = new Map<number, Uint8Array>(
  [
    [NbdError.notPermitted, 'the export is read-only'],
    [NbdError.io, 'the device failed the request'],
    [NbdError.invalid, 'the request is not valid for this export'],
    [NbdError.noSpace, 'no space, or past the end of the export'],
    [NbdError.notSupported, 'no faster than writing zeroes'],
    [NbdError.shuttingDown, 'the server is shutting down'],
  ].map(([error, text]) => [error as number, new TextEncoder().encode(text as string)]),
);

/** What a structured error says to people. */
export function nbdErrorText(error: number): Uint8Array {
  return TEXTS.get(error) ?? NO_TEXT;
}
