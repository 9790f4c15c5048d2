import type { Result } from '../base/result.js';
import { DmRemapError, type FailureClass } from '../library/errors.js';

/** What became of a file, or would with `--dry-run`. */
export interface FileOutcome {
  readonly path: string;
  readonly outcome: 'removed' | 'absent' | 'would go';
}

export function fileLine({ path, outcome }: FileOutcome): string {
  return `${outcome.padEnd(9)}  ${path}\n`;
}

/** The value; a failure, which is one line for a person, ends the command. */
export function resultOf<Value>(result: Result<Value, string>, failureClass: FailureClass = 'system'): Value {
  if (!result.ok) throw new DmRemapError(failureClass, result.error);
  return result.value;
}
