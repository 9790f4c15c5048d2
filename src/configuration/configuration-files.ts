import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { failed, ok, type Result } from '../base/result.js';
import { readTextFile, type TextFileProblem } from './text-file.js';

/** A configuration file as it was read. */
export interface ConfigurationFile {
  readonly path: string;
  readonly text: string;
}

/**
 * The files of a configuration directory that are there: dm-remap.yaml, then conf.d/*.yaml by name. None is needed. Fails with
 * one line where one can't be read.
 */
export function filesOfDirectory(directory: string): Result<readonly ConfigurationFile[], string> {
  const names = namesIn(join(directory, 'conf.d'));
  if (!names.ok) return names;
  const drops = names.value.filter((name) => name.endsWith('.yaml') && !name.startsWith('.')).sort();
  const files: ConfigurationFile[] = [];
  for (const path of ['dm-remap.yaml', ...drops.map((name) => join('conf.d', name))]) {
    const file = readFile(join(directory, path));
    if (file.ok) files.push(file.value);
    else if (file.error.code !== 'ENOENT') return failed(file.error.message);
  }
  return ok(files);
}

/** One file that has to be there. */
export function namedFile(path: string): Result<readonly ConfigurationFile[], string> {
  const file = readFile(path);
  return file.ok ? ok([file.value]) : failed(file.error.message);
}

function readFile(
  path: string,
): Result<ConfigurationFile, { readonly code: string | undefined; readonly message: string }> {
  const text = readTextFile(path, MAX_FILE_BYTES);
  return text.ok ? ok({ path, text: text.value }) : failed(unreadable(path, text.error));
}

/** Thousands of sets. */
const MAX_FILE_BYTES = 1 << 20;

function namesIn(directory: string): Result<readonly string[], string> {
  try {
    return ok(readdirSync(directory));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return ok([]);
    return failed(unreadable(directory, { code, problem: `can't be read (${code ?? message})` }).message);
  }
}

function unreadable(path: string, { code, problem }: TextFileProblem) {
  return { code, message: `${path}: ${problem}; it should be a configuration file` };
}
