import type { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';
import { writeJson } from './output.js';
import { errorDocument, reportError } from './report-error.js';

/** For a program: what was done, and why not all, in one document. Answers the exit status. */
export function writeOutcome(
  outcome: Readonly<Record<string, unknown>>,
  failure: DmRemapError | undefined,
  { out, err }: Pick<CliContext, 'out' | 'err'>,
): number {
  if (failure !== undefined) reportError(failure, err, false);
  writeJson(out, failure === undefined ? outcome : { ...outcome, error: errorDocument(failure) });
  return failure === undefined ? EXIT_STATUS.done : EXIT_STATUS[failure.failure];
}
