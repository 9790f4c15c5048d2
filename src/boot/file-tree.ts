import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { failed, ok, type Result } from '../base/result.js';
import type { BootFile } from './set-files.js';

/** One line: which file, and why it can't be. */
export type FileFailure = string;

/** Configuration files below a root directory, `/` for the running system. */
export class FileTree {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Below a root that a person named. Fails where that is no directory: nothing would ever be found there. */
  static below(root: string): Result<FileTree, FileFailure> {
    const tree = new FileTree(root);
    const found = tree.#attempt('', 'read', (real) => statSync(real, { throwIfNoEntry: false }));
    if (!found.ok) return found;
    if (found.value?.isDirectory() === true) return ok(tree);
    const what = found.value === undefined ? 'is not there' : 'is no directory';
    return failed(`${root} ${what}; give --root the directory that has etc in it`);
  }

  /** Makes directories as needed. Under another name first, so that nobody reads half a file. */
  write({ path, text }: BootFile): Result<'written' | 'unchanged', FileFailure> {
    return this.#attempt(path, 'written', (real) => {
      if (existsSync(real) && readFileSync(real, 'utf8') === text) return 'unchanged';
      mkdirSync(dirname(real), { recursive: true });
      const beside = join(dirname(real), `.${basename(real)}.new`);
      writeFileSync(beside, text, { mode: 0o644, flush: true });
      renameSync(beside, real);
      return 'written';
    });
  }

  remove(path: string): Result<'removed' | 'absent', FileFailure> {
    return this.#attempt(path, 'removed', (real) => {
      if (!isEntry(real)) return 'absent';
      rmSync(real);
      return 'removed';
    });
  }

  /** Nothing happens to a directory that holds something. */
  removeEmptyDirectory(path: string): Result<void, FileFailure> {
    return this.#attempt(path, 'removed', (real) => {
      if (existsSync(real) && readdirSync(real).length === 0) rmdirSync(real);
    });
  }

  isThere(path: string): Result<boolean, FileFailure> {
    return this.#attempt(path, 'read', isEntry);
  }

  /** '' where there is no such file. */
  read(path: string): Result<string, FileFailure> {
    return this.#attempt(path, 'read', (real) => (existsSync(real) ? readFileSync(real, 'utf8') : ''));
  }

  /** Names in a directory, sorted; none where there is no such directory. */
  list(path: string): Result<readonly string[], FileFailure> {
    return this.#attempt(path, 'read', (real) => (existsSync(real) ? readdirSync(real).sort() : []));
  }

  #attempt<Value>(path: string, what: string, act: (real: string) => Value): Result<Value, FileFailure> {
    const real = join(this.root, path);
    try {
      return ok(act(real));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      const advice = code === 'EACCES' || code === 'EPERM' ? '; run it as root' : '';
      return failed(`${real} can't be ${what} (${code})${advice}`);
    }
  }
}

/** A link is there even if what it points to is not. */
function isEntry(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
