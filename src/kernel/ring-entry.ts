import { assert } from '../base/assert.js';
import { ERRNO, errnoName } from '../base/errno.js';
import { mapMemory } from './aligned-memory.js';
import { ioUringEnter } from './ffi.js';
import { ENTER, EXT_ARG, FEATURE, SETUP } from './uring-abi.js';

/** The system call of one ring: hands what is published to the kernel, and may wait there. */
export class RingEntry {
  private readonly fd: number;
  private readonly looksByWaiting: boolean;
  private readonly argument = mapMemory(EXT_ARG.SIZE_BYTES + TIMESPEC_BYTES);

  /** `setupFlags`, `features`: as the kernel has answered them when the ring was set up. */
  constructor(fd: number, setupFlags: number, features: number) {
    this.fd = fd;
    // Before Linux 6.12, deferred work ran only in an entry that waits (seen on 6.1): wait for 0 ms.
    this.looksByWaiting = (setupFlags & SETUP.DEFER_TASKRUN) !== 0 && (features & FEATURE.MIN_TIMEOUT) === 0;
    const { view, address } = this.argument;
    view.setUint32(8, EXT_ARG.SIGMASK_BYTES, true);
    setAddress(view, EXT_ARG.TIMESPEC_POINTER, address + EXT_ARG.SIZE_BYTES);
  }

  /** `timeoutMs` -1: for ever. May return early with fewer completions than `waitCount`. */
  wait(queued: number, waitCount: number, timeoutMs: number): void {
    const timed = waitCount > 0 && timeoutMs >= 0;
    if (timed) this.setTimeout(timeoutMs);
    const result = ioUringEnter(
      this.fd,
      queued,
      waitCount,
      timed ? ENTER.GETEVENTS | ENTER.EXT_ARG : ENTER.GETEVENTS,
      timed ? this.argument.address : 0,
      timed ? EXT_ARG.SIZE_BYTES : 0,
    );
    if (result < 0) assert(comesAgain(-result), `io_uring_enter failed: ${errnoName(-result)}`);
  }

  /** Hands over what is queued, and has the kernel do its part of what is done. */
  look(queued: number): void {
    if (this.looksByWaiting) this.wait(queued, 1, 0);
    else this.wait(queued, 0, -1);
  }

  close(): void {
    this.argument.unmap();
  }

  private setTimeout(timeoutMs: number): void {
    const { view } = this.argument;
    const seconds = Math.floor(timeoutMs / 1000);
    setAddress(view, EXT_ARG.SIZE_BYTES, seconds);
    setAddress(view, EXT_ARG.SIZE_BYTES + 8, Math.floor((timeoutMs - seconds * 1000) * 1e6));
  }
}

const TIMESPEC_BYTES = 16;

/** Any exact non-negative integer as a little-endian u64. */
function setAddress(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
}

/**
 * Time is up, a signal, or the kernel wants its completions taken or memory freed first: the queue is unharmed and
 * the caller's next turn goes on. Everything else is a bug, or (EBADR) a lost completion that nothing can mend.
 */
function comesAgain(errno: number): boolean {
  return errno === ERRNO.ETIME || errno === ERRNO.EINTR || errno === ERRNO.EBUSY || errno === ERRNO.EAGAIN;
}
