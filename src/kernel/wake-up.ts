import { assert } from '../base/assert.js';
import { close, eventfd, write } from './ffi.js';

/** Something that a thread blocked in its ring can be woken by, from any thread of the process. */
export interface WakeUp {
  /** An eventfd. Pass the number to other threads for `wake`. */
  readonly fd: number;
  /** After the last `wake`: the number may name another file afterwards. */
  close(): void;
}

export function createWakeUp(): WakeUp {
  const fd = eventfd(0, EFD_CLOEXEC);
  assert(fd >= 0, `eventfd failed: errno ${-fd}`);
  return {
    fd,
    close() {
      assert(close(fd) >= 0, 'wake-up closed twice');
    },
  };
}

/** Wakes the thread that reads this eventfd. Never blocks; wakes that come close together may be one for the sleeper. */
export function wake(fd: number): void {
  const result = write(fd, ONE);
  assert(result === ONE.byteLength, `cannot wake through descriptor ${fd}: errno ${-result}`);
}

const EFD_CLOEXEC = 0x80000;
/** A native u64; both architectures are little-endian. */
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
