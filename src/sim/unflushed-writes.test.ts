import { expect, it } from 'vitest';
import { UnflushedWrites } from './unflushed-writes.js';

it('A client that a new process serves does not believe the first flush after one that failed: it wrote to the process before', () => {
  const writes = new UnflushedWrites();
  writes.reset();
  expect(writes.heardOfAll(0)).toBe(true);
  expect(writes.heardOfAll(1)).toBe(false);
  expect(writes.flushFinished(writes.flushStarted(), true, 1)).toBe(false);
  expect(writes.flushFinished(writes.flushStarted(), true, 1)).toBe(true);
  expect(writes.heardOfAll(2)).toBe(true);
});
