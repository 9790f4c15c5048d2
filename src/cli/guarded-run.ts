import type { CliContext } from './cli-context.js';
import type { RunArguments } from './run.js';

/**
 * `dmremap run`, loaded when it is wanted: no other command logs. A block device is guarded first, because that may
 * start the program again.
 */
export async function guardedRun(args: RunArguments, context: CliContext): Promise<number> {
  const unguarded = args.device.ublk === undefined ? [] : await context.library.guardAgainstReclaim();
  const { run } = await import('./run.js');
  return run(args, unguarded, context);
}
