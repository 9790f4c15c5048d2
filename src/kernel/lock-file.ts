import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { ERRNO } from '../base/errno.js';
import { failed, ok, type Result } from '../base/result.js';
import { flock } from './ffi.js';
import { statIfThere } from './stat-if-there.js';

/** Held until it is released, or the process ends or starts itself again (flock(2); the descriptor does not outlive execve). */
export interface LockFile {
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

function held(path: string, file: number, text: string): LockFile {
  ftruncateSync(file, 0);
  writeSync(file, text);
  return {
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
