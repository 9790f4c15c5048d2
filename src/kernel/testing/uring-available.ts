import { describe } from 'vitest';
import { Ring } from '../io-uring.js';

/** `describe`, or a skipped one that prints why, where this machine gives us no io_uring. */
export function describeUring(title: string, suite: () => void): void {
  const opened = Ring.open(8);
  if (opened.ok) {
    opened.value.close();
    describe(title, suite);
  } else {
    console.warn(`skipped: ${title}: ${opened.error.meaning}`);
    describe.skip(title, suite);
  }
}
