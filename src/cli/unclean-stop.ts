import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';

/** What the process that has just been stopped says of that, if it was not clean. `label`: what the set is called. */
export async function uncleanStopOf(
  setId: string,
  label: string,
  { runDirectory }: Pick<CliContext, 'runDirectory'>,
): Promise<DmRemapError | undefined> {
  if (runDirectory === undefined) return undefined;
  const { takeUncleanStop } = await import('../control/unclean-stop.js');
  const noted = await takeUncleanStop(runDirectory, setId);
  return noted === undefined ? undefined : new DmRemapError(noted.failure, `${label}: ${noted.message}`);
}
