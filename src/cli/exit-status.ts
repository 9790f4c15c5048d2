import type { FailureClass } from '../library/errors.js';
import { DmRemapError } from '../library/errors.js';

/** The exit status of a command that ended with this error. */
export function exitStatusOf(error: unknown): number {
  return error instanceof DmRemapError ? EXIT_STATUS[error.failure] : EXIT_STATUS.bug;
}

/**
 * Every exit status of every command. They never change their meaning: scripts rely on them. docs/exit-codes.md
 * prints this list; a test compares the two.
 */
export const EXIT_STATUS = {
  done: 0,
  declined: 1,
  usage: 2,
  device: 3,
  refused: 4,
  metadata: 5,
  io: 6,
  system: 7,
  damaged: 8,
  bug: 70,
  hangUp: 129,
  interrupted: 130,
  outputClosed: 141,
  terminated: 143,
} as const satisfies Record<FailureClass, number> & Record<string, number>;

export type ExitStatusName = keyof typeof EXIT_STATUS;

/** One line each, for --help and docs/exit-codes.md. */
export const EXIT_STATUS_MEANING: Readonly<Record<ExitStatusName, string>> = {
  done: 'done; for `run`: stopped cleanly after a signal',
  declined: 'the question was not answered with YES; nothing was changed',
  usage: 'wrong arguments, or a mistake in a file that a person wrote',
  device: "a device or file can't be opened, or is in use",
  refused: 'refused to protect data: the wrong disk, or a spare that holds something else',
  metadata: 'the metadata is missing, damaged beyond use, or of a newer version',
  io: 'an I/O of the command itself failed; `stop`, `remove`, `leave`: the set was stopped, but its last flush failed',
  system: 'the system lacks something that was asked for: io_uring, a free port, memory',
  damaged:
    '`metadata`: blocks are damaged or out of date, but nothing is missing; a start or a repair mends them',
  bug: 'a mistake in dm-remap itself; please report it',
  hangUp: '`run`: a second signal, SIGHUP, ended it at once',
  interrupted:
    '`run`: a second signal, SIGINT, ended it at once; `evacuate`, `migrate`, `spare add`, `spare remove`, `remap consolidate`: Ctrl-C ended the command, what it began goes on; `leave`: Ctrl-C ended it, what came back stays back',
  outputClosed: 'the reader of the output went away, as in `dmremap remaps S | head -1`',
  terminated: '`run`: a second signal, SIGTERM, ended it at once',
};
