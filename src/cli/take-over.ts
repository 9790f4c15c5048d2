import { commandLine } from '../base/shell-words.js';
import type { ControlClient } from '../control/client/control-client.js';
import { labelOf } from '../control/client/pick-set.js';
import type { DeviceResource } from '../control/schema/device.js';
import type { ReplaceMainPlan } from '../library/replace-main.js';
import type { CliContext } from './cli-context.js';
import { devicesOf, followAtBoot } from './follow-at-boot.js';
import { INTERRUPTED, type Interrupted, unlessInterrupted } from './unless-interrupted.js';
import { untilServed } from './until-served.js';

/**
 * Has the disk that everything was copied to become the main device, and waits until the set is served again. Undefined: the
 * person has interrupted that, and was told that it goes on.
 */
export async function takeOver(
  client: ControlClient,
  path: string,
  interrupted: Promise<Interrupted>,
  context: CliContext,
): Promise<TakenOver | undefined> {
  // It may be another process by now.
  const served = await client.device();
  const taken = await unlessInterrupted(takeOverFrom(served, client, path, context), interrupted);
  if (taken !== INTERRUPTED) return taken;
  context.err.write(
    `dmremap: ${path} goes on taking over; "${commandLine(['dmremap', 'status', labelOf(served)])}" shows whether it is the main device by now ("dmremap boot enable" again then, if the set starts at boot)\n`,
  );
  return undefined;
}

async function takeOverFrom(
  served: DeviceResource,
  client: ControlClient,
  path: string,
  context: CliContext,
): Promise<TakenOver> {
  const { version: _, ...replaced } = await client.finishEvacuation();
  // Before it is served again: whoever starts it in the place of a process that dies over it has to know.
  const devices = { ...devicesOf(served), main: path };
  const atBoot = followAtBoot(devices, context);
  await untilServed(served, context, ({ main }) => main.path === path, devices);
  return { replaced, atBoot };
}

export interface TakenOver {
  readonly replaced: ReplaceMainPlan;
  /** As `followAtBoot` answers. */
  readonly atBoot: string | undefined;
}
