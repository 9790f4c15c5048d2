import type { CliContext } from './cli-context.js';
import { EXIT_STATUS } from './exit-status.js';

/** Of a command that shows all sets: scripts must not take those that could not be asked for sets that are not there. */
export function statusOfLook({ running }: Pick<CliContext, 'running'>): number {
  return running.silent.size === 0 ? EXIT_STATUS.done : EXIT_STATUS.device;
}
