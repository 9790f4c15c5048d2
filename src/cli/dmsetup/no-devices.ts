import type { CliContext } from '../cli-context.js';

/** As dmsetup says it; nothing where some could not be asked, which a person was told. */
export function tellNoDevices({ out, running }: Pick<CliContext, 'out' | 'running'>): void {
  if (running.silent.size === 0) out.write('No devices found\n');
}
