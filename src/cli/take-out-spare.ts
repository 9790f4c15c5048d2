import { commandLine } from '../base/shell-words.js';
import { NoAnswer } from '../control/client/no-answer.js';
import type { RunningSet } from '../control/client/running-sets.js';
import type { DeviceResource } from '../control/schema/device.js';
import type { RemoveSpareResult } from '../library/spare-types.js';
import type { CliContext } from './cli-context.js';
import { devicesOf, devicesWithout, followAtBoot } from './follow-at-boot.js';
import { tellLeftToStart } from './tell-left-to-start.js';
import { INTERRUPTED, interruption, unlessInterrupted } from './unless-interrupted.js';
import { untilServed } from './until-served.js';

/**
 * Takes an empty spare out of a set at work, which is served again then. Undefined: the person has interrupted that, and was
 * told that it goes on. `called`: the set, as it was named.
 */
export async function takeOutSpare(
  set: RunningSet,
  path: string,
  called: string,
  context: CliContext,
): Promise<TakenOut | undefined> {
  const taken = await unlessInterrupted(takeOut(set, path, context), interruption(context.stopSignals));
  if (taken !== INTERRUPTED) return taken;
  context.err.write(
    `dmremap: nothing lives on ${path}, and the process that serves the set goes on taking it out; "${commandLine(['dmremap', 'status', called])}" shows whether it is out by now ("dmremap boot enable" again then, if the set starts at boot)\n`,
  );
  return undefined;
}

/** Also where a process dies over it: whoever serves the set next is asked again. */
async function takeOut({ client, device }: RunningSet, path: string, context: CliContext): Promise<TakenOut> {
  for (let served = device; ; served = await untilServed(served, context, () => true, null)) {
    const spareIndex = served.spares.findIndex((spare) => spare.path === path);
    // It was out already when that process died.
    if (spareIndex === -1)
      return { removed: resultOf(served, path), atBoot: followAtBoot(devicesOf(served), context) };
    try {
      const { version: _, ...removed } = await client.removeSpare(spareIndex);
      tellLeftToStart(removed, context);
      const devices = devicesWithout(served, path);
      const atBoot = followAtBoot(devices, context);
      const isOut = ({ spares }: DeviceResource) => spares.every((spare) => spare.path !== path);
      await untilServed(served, context, isOut, devices);
      return { removed, atBoot };
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
  }
}

export interface TakenOut {
  readonly removed: RemoveSpareResult;
  /** As `followAtBoot` answers. */
  readonly atBoot: string | undefined;
}

function resultOf(
  { setId, name, unitBytes, usableSpareUnits }: DeviceResource,
  path: string,
): RemoveSpareResult {
  return { setId, name, path, unitBytes, usableSpareUnits };
}
