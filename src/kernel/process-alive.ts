import { readFileSync } from 'node:fs';

/**
 * Whether a process can still do anything. One that was killed is there for a while longer, as a zombie until its
 * parent has heard of it, or until the last I/O of its threads has ended, which on a failing disk takes its time.
 */
export function isProcessAlive(pid: number): boolean {
  const fields = statFieldsOf(pid);
  if (fields === null) return false;
  const isExiting = (Number(fields[FLAGS]) & PF_EXITING) !== 0;
  return !isExiting && !DEAD_STATES.includes(fields[STATE]!);
}

/** proc_pid_stat(5), from the state on: the name before it may hold anything. Null without such a process. */
function statFieldsOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw error;
  }
}

const STATE = 0;
const FLAGS = 6;
/** linux/sched.h. */
const PF_EXITING = 4;
const DEAD_STATES = ['Z', 'X', 'x'];
