import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { ERRNO } from '../base/errno.js';
import { failed, ok, type Result } from '../base/result.js';
import { fcntl, flock } from './ffi.js';
import { statIfThere } from './stat-if-there.js';

/** Held until it is released, or the process ends (flock(2)). */
export interface LockFile {
  /** Holds it across execve(2), for the program that this process goes on with: that one takes it as its own. */
  leaveToNextProgram(): void;
  /** The file goes, too. */
  release(): void;
}

export type LockFailure =
  /** `text`: of whoever has it; maybe empty yet. */
  | { readonly kind: 'held'; readonly text: string }
  /** No lock can be had there: `code` is an errno's name, or its number. */
  | { readonly kind: 'unusable'; readonly code: string };

/** Takes a file for one process at a time; `ownText` says for others who that is. */
export function takeLockFile(path: string, ownText: string): Result<LockFile, LockFailure> {
  try {
    const inherited = inheritedFile(path);
    if (inherited !== undefined) return ok(held(path, inherited, ownText));
    for (;;) {
      const file = openSync(path, 'a+', 0o644);
      const result = flock(file, LOCK_EX | LOCK_NB);
      // Who had it may have removed it since it was opened here: then another file has the name, or none.
      if (result === 0 && isAt(path, file)) return ok(held(path, file, ownText));
      // Not by its name: whoever has it may remove it now.
      const text = result === -ERRNO.EAGAIN ? readFileSync(file, 'utf8') : undefined;
      closeSync(file);
      if (text !== undefined) return failed({ kind: 'held', text });
      if (result !== 0) return failed({ kind: 'unusable', code: String(-result) });
    }
  } catch (error) {
    return failed({ kind: 'unusable', code: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
}

/** What the program before this one in the same process has left: only such files are open across execve(2). */
function inheritedFile(path: string): number | undefined {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .find((file) => fcntl(file, F_GETFD, 0) === 0 && isAt(path, file));
}

function held(path: string, file: number, text: string): LockFile {
  fcntl(file, F_SETFD, FD_CLOEXEC);
  ftruncateSync(file, 0);
  writeSync(file, text);
  return {
    leaveToNextProgram: () => {
      fcntl(file, F_SETFD, 0);
    },
    release: () => {
      try {
        unlinkSync(path);
      } catch {
        // Without a lock on it the file says nothing.
      }
      closeSync(file);
    },
  };
}

function isAt(path: string, file: number): boolean {
  const [there, own] = [statIfThere(path), fstatSync(file)];
  return there?.ino === own.ino && there.dev === own.dev;
}

const LOCK_EX = 2;
const LOCK_NB = 4;
const F_GETFD = 1;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
