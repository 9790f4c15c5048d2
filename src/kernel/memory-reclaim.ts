import { readFileSync, writeFileSync } from 'node:fs';
import { errnoName } from '../base/errno.js';
import { mlock2, prctl } from './ffi.js';
import { startAgain } from './start-again.js';

/**
 * Makes this process one that memory may depend on: when memory runs short the kernel writes dirty pages back through
 * our block device, so we must not wait for that ourselves (prctl(2) PR_SET_IO_FLUSHER), nor be swapped out or chosen
 * by the out-of-memory killer. The flusher state belongs to a thread and is inherited by the threads it makes and
 * kept by execve(2); Node has made its own threads before any of our code runs, so the program is started again in
 * place. Call it first of all; a process that has the state already goes on.
 *
 * Returns what could not be had, for the log: each needs a capability (CAP_SYS_RESOURCE, CAP_IPC_LOCK) and is a matter
 * of safety under memory pressure, not of function.
 */
export function guardAgainstReclaim(): string[] {
  const problems: string[] = [];
  const state = prctl(PR_GET_IO_FLUSHER, 0);
  if (state === 0 && process.env[RESTARTED] === undefined) {
    const result = prctl(PR_SET_IO_FLUSHER, 1);
    if (result === 0) restart();
    problems.push(`PR_SET_IO_FLUSHER: ${errnoName(-result)}`);
  } else if (state === 0) {
    problems.push('PR_SET_IO_FLUSHER: lost when the program was started again');
  } else if (state < 0) {
    problems.push(`PR_GET_IO_FLUSHER: ${errnoName(-state)}`);
  }
  return [...problems, ...lockProgram(), ...protectFromOutOfMemoryKiller()];
}

/**
 * Keeps the program's own pages, once used, from being dropped and read again from a disk that may be ours. Its heap
 * can't be locked: V8 gives pages of it back with madvise(MADV_DONTNEED), which the kernel refuses for locked ones, and
 * V8 ends the process. A memory cgroup without swap does that part (MemorySwapMax=0 of boot/dm-remap@.service);
 * `makeResident`, `touchThreadMemory` and `useMemoryReserve` help where pages are wanted that were never there.
 */
function lockProgram(): string[] {
  for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
    const mapping = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \d+ +\//.exec(line);
    if (mapping === null) continue;
    const start = Number.parseInt(mapping[1]!, 16);
    const result = mlock2(start, Number.parseInt(mapping[2]!, 16) - start, MLOCK_ONFAULT);
    if (result < 0) return [`mlock2: ${errnoName(-result)}`];
  }
  return [];
}

function restart(): never {
  process.env[RESTARTED] = '1';
  startAgain(process.argv.slice(2));
}

function protectFromOutOfMemoryKiller(): string[] {
  const file = '/proc/self/oom_score_adj';
  try {
    if (readFileSync(file, 'utf8').trim() !== NEVER) writeFileSync(file, NEVER);
    return [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw error;
    return [`oom_score_adj: ${code}`];
  }
}

/** Set in the environment of the program that was started again: once is enough, whatever a kernel says. */
const RESTARTED = 'DM_REMAP_IO_FLUSHER';
/** linux/prctl.h. */
const PR_SET_IO_FLUSHER = 57;
const PR_GET_IO_FLUSHER = 58;
/** linux/mman.h: what is never touched is not locked either. */
const MLOCK_ONFAULT = 1;
/** proc(5): not to be killed. */
const NEVER = '-1000';
