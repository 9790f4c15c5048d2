import { failed, ok, type Result } from '../base/result.js';
import { nameProblem } from './boot-set.js';
import type { FileFailure, FileTree } from './file-tree.js';
import { CONFIGURATION_DIRECTORY, parseEnvironment, setPaths } from './set-files.js';

/** A set that is prepared for boot, as its environment file says. */
export interface EnabledSet {
  readonly name: string;
  readonly main: string;
  readonly spares: readonly string[];
  readonly options: readonly string[];
}

/** All of them, by name. */
export function enabledSets(tree: FileTree): Result<readonly EnabledSet[], FileFailure> {
  const files = tree.list(CONFIGURATION_DIRECTORY);
  if (!files.ok) return files;
  const sets: EnabledSet[] = [];
  for (const file of files.value) {
    const name = file.endsWith('.env') ? file.slice(0, -'.env'.length) : '';
    if (nameProblem(name) !== undefined) continue;
    const text = tree.read(setPaths(name).environment);
    if (!text.ok) return failed(text.error);
    sets.push(enabledSet(name, text.value));
  }
  return ok(sets);
}

function enabledSet(name: string, environment: string): EnabledSet {
  const { MAIN: main, SPARES, OPTIONS } = parseEnvironment(environment);
  return { name, main, spares: words(SPARES).filter((word) => word !== '--spare'), options: words(OPTIONS) };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
