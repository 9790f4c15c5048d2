import type { CliContext } from './cli-context.js';
import { completeRun, type RunRequest } from './configured-run.js';

/**
 * `dmremap run`, loaded when it is wanted: no other command logs. A block device is guarded first, because that may
 * start the program again.
 */
export async function guardedRun(request: RunRequest, context: CliContext): Promise<number> {
  const args = await completeRun(request, context.configurationDirectory);
  const unguarded = args.device.ublk === undefined ? [] : await context.library.guardAgainstReclaim();
  const { run } = await import('./run.js');
  return run(args, unguarded, context);
}
