import type { LeftToStart } from '../library/spare-types.js';
import type { CliContext } from './cli-context.js';

/** One line where the spares of a set were changed, and what comes after that has failed. */
export function tellLeftToStart(
  { leftToStart }: { readonly leftToStart?: LeftToStart },
  { err }: CliContext,
): void {
  if (leftToStart === undefined) return;
  err.write(
    `dmremap: warning: it is done, but not all copies of the map are as they should be (${leftToStart}); the next start makes up for it\n`,
  );
}
