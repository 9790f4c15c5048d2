import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { schedGetScheduler } from './ffi.js';
import { useMemoryReserve } from './memory-reserve.js';

test('all threads become real-time threads and ordinary ones again, or the kernel says why not', () => {
  const result = useMemoryReserve(true);
  try {
    expect([0, -ERRNO.EPERM]).toContain(result);
    expect(policies()).toEqual(new Set([result === 0 ? SCHED_RR : SCHED_OTHER]));
  } finally {
    useMemoryReserve(false);
  }
  expect(policies()).toEqual(new Set([SCHED_OTHER]));
});

function policies(): Set<number> {
  return new Set(readdirSync('/proc/self/task').map((name) => schedGetScheduler(Number(name))));
}

const SCHED_OTHER = 0;
const SCHED_RR = 2;
