import type { Result } from '../base/result.js';
import { DmRemapError, type FailureClass } from '../library/errors.js';

/** The value; a failure, which is one line for a person, ends the command. */
export function resultOf<Value>(result: Result<Value, string>, failureClass: FailureClass = 'system'): Value {
  if (!result.ok) throw new DmRemapError(failureClass, result.error);
  return result.value;
}
