import type { CliContext } from './cli-context.js';

/**
 * What `list` and `status` say on a machine where no set is at work; sets that are not served are on devices. Nothing where
 * some could not be asked, which a person was told.
 */
export function tellNoneServed({ err, running }: Pick<CliContext, 'err' | 'running'>): void {
  if (running.silent.size > 0) return;
  err.write('dmremap: no set is served on this machine; "dmremap scan" finds those on devices\n');
}
