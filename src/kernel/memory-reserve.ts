import { readdirSync } from 'node:fs';
import { ERRNO } from '../base/errno.js';
import { schedGetScheduler, schedSetScheduler } from './ffi.js';

/**
 * Lets every thread of this process have memory from the kernel's reserve, or no longer. Below the watermark "min" an
 * ordinary thread waits until others free memory; a real-time thread may go down to half of it (mm/page_alloc.c,
 * ALLOC_MIN_RESERVE). Where swap-out waits for this process that is the difference between slow and for ever: a
 * language with a heap can't promise to want no page at all.
 *
 * Threads whose policy somebody else has chosen keep it; new threads inherit their maker's. Returns 0 or the first
 * negative errno (CAP_SYS_NICE is needed).
 */
export function useMemoryReserve(wanted: boolean): number {
  const [from, to, priority] = wanted ? [SCHED_OTHER, SCHED_RR, LOWEST_PRIORITY] : [SCHED_RR, SCHED_OTHER, 0];
  let problem = 0;
  for (const name of readdirSync('/proc/self/task')) {
    const thread = Number(name);
    if (schedGetScheduler(thread) !== from) continue;
    const result = schedSetScheduler(thread, to, priority);
    if (result < 0 && result !== -ERRNO.ESRCH) problem ||= result;
  }
  return problem;
}

/** linux/sched.h. */
const SCHED_OTHER = 0;
const SCHED_RR = 2;
const LOWEST_PRIORITY = 1;
