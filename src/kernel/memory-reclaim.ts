import { readFileSync, writeFileSync } from 'node:fs';
import { errnoName } from '../base/errno.js';
import { execv, fcntl, mlockall, prctl } from './ffi.js';

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
  if (state === 0) {
    const result = prctl(PR_SET_IO_FLUSHER, 1);
    if (result === 0) restart();
    problems.push(`PR_SET_IO_FLUSHER: ${errnoName(-result)}`);
  } else if (state < 0) {
    problems.push(`PR_GET_IO_FLUSHER: ${errnoName(-state)}`);
  }
  const locked = mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
  if (locked < 0) problems.push(`mlockall: ${errnoName(-locked)}`);
  return [...problems, ...protectFromOutOfMemoryKiller()];
}

function restart(): void {
  // Node has made its standard files close-on-exec for the programs that it starts.
  for (const fd of STANDARD_FILES) fcntl(fd, F_SETFD, 0);
  const errno = -execv(process.execPath, [process.argv0, ...process.execArgv, ...process.argv.slice(1)]);
  throw new Error(`cannot start ${process.execPath} again: ${errnoName(errno)}`);
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

const STANDARD_FILES = [0, 1, 2];
const F_SETFD = 2;
/** linux/prctl.h. */
const PR_SET_IO_FLUSHER = 57;
const PR_GET_IO_FLUSHER = 58;
/** asm-generic/mman.h; the same on x86-64 and arm64. ON_FAULT: what is never touched is not locked either. */
const MCL_CURRENT = 1;
const MCL_FUTURE = 2;
const MCL_ONFAULT = 4;
/** proc(5): not to be killed. */
const NEVER = '-1000';
