import { formatCount } from '../base/format-count.js';
import { labelOf } from '../control/client/pick-set.js';
import type { RunningSet } from '../control/client/running-sets.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { uncleanStopOf } from './unclean-stop.js';

/**
 * Ends the process that serves a set, in order, and waits until it is gone. Refused while the set is in use. Answers what was not
 * clean about the stop.
 */
export async function endServedSet(
  set: RunningSet,
  force: boolean,
  { library, runDirectory }: Pick<CliContext, 'library' | 'runDirectory'>,
): Promise<DmRemapError | undefined> {
  refuseClients(set, force);
  const blockDevice = blockDeviceOf(set);
  if (blockDevice !== undefined) await library.stopBlockDevice(blockDevice, { force });
  else await library.endProcess(set.device.processId);
  return uncleanStopOf(set.device.setId, labelOf(set.device), { runDirectory });
}

/** Whether `endServedSet` would be refused now; ends nothing. */
export async function refuseInUse(
  set: RunningSet,
  force: boolean,
  { library }: Pick<CliContext, 'library'>,
): Promise<void> {
  refuseClients(set, force);
  const blockDevice = blockDeviceOf(set);
  const users = blockDevice === undefined || force ? [] : await library.blockDeviceUsers(blockDevice);
  if (users.length > 0)
    throw new DmRemapError('refused', `${blockDevice}: ${users.join(', ')}; end that first, or use --force`);
}

function blockDeviceOf({ device }: RunningSet): string | undefined {
  return device.endpoints.find(({ kind }) => kind === 'ublk')?.address;
}

function refuseClients({ device }: RunningSet, force: boolean): void {
  if (device.connections > 0 && !force) {
    const clients = formatCount(device.connections, 'NBD client');
    throw new DmRemapError(
      'refused',
      `${labelOf(device)}: in use by ${clients}; end them first, or use --force`,
    );
  }
}
