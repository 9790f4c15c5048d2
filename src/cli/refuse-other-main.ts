import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';

/**
 * Rejects a main device that a start of the set would refuse: at the boot there would be nobody to read about that. Where
 * only its size is known of it, it is taken, as a start takes it.
 */
export async function refuseOtherMain(
  { main, spares, setId }: NamedDevices,
  { library }: Pick<CliContext, 'library'>,
): Promise<void> {
  const { sets } = await library.scanSets({ paths: spares, mains: { [setId]: main } });
  const problem = sets
    .find((one) => one.setId === setId)
    ?.problems.find(({ id }) => id === 'wrongMain' || id === 'mainChanged');
  if (problem === undefined) return;
  throw new DmRemapError(
    'refused',
    `${problem.message}, so a start at boot would be refused; name the right disk, or use --force to write it down all the same`,
  );
}

/** As somebody names them for a start. */
export interface NamedDevices {
  readonly setId: string;
  readonly main: string;
  readonly spares: readonly string[];
}
