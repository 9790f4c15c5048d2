import { commandLine } from '../base/shell-words.js';
import type { RunningSet } from '../control/client/running-sets.js';
import type { AddSparePlan, AddSpareResult } from '../library/spare-types.js';
import type { CliContext } from './cli-context.js';
import { devicesWith, followAtBoot } from './follow-at-boot.js';
import { tellLeftToStart } from './tell-left-to-start.js';
import { INTERRUPTED, interruption, unlessInterrupted } from './unless-interrupted.js';
import { untilServed } from './until-served.js';

/** What became of a spare that was to be added. */
export interface AddedSpare {
  readonly done: AddSpareResult;
  /** As `followAtBoot` answers. */
  readonly atBoot: string | undefined;
  /** Where somebody interrupted the waiting: before it was known to be a spare, or while the set was opened again with it. */
  readonly interruptedWhile: 'adding' | 'opening' | undefined;
}

/** Has the process that serves a set add a spare, and waits until it serves the set again. */
export async function addSpareAtWork(
  { client, device }: RunningSet,
  request: { readonly device: string; readonly force: boolean },
  plan: AddSparePlan,
  context: CliContext,
): Promise<AddedSpare> {
  const interrupted = interruption(context.stopSignals);
  const answer = await unlessInterrupted(client.addSpare(request), interrupted);
  if (answer === INTERRUPTED) return { done: plan, atBoot: undefined, interruptedWhile: 'adding' };
  const done = planOf(answer);
  tellLeftToStart(done, context);
  // Before it is served again: whoever starts it in the place of a process that dies over it has to know.
  const devices = devicesWith(device, request.device);
  const atBoot = followAtBoot(devices, context);
  const served = untilServed(device, context, ({ spares }) => spares.length > done.spareIndex, devices);
  const isInterrupted = (await unlessInterrupted(served, interrupted)) === INTERRUPTED;
  return { done, atBoot, interruptedWhile: isInterrupted ? 'opening' : undefined };
}

export function planOf({
  version: _,
  ...plan
}: AddSpareResult & { readonly version: number }): AddSpareResult {
  return plan;
}

/** One line about what goes on without the command, and how to see that. `called`: the set, as it was named. */
export function interruptedText({ done, atBoot, interruptedWhile }: AddedSpare, called: string): string {
  const { path } = done.device;
  const look = `"${commandLine(['dmremap', 'status', called])}" shows`;
  if (interruptedWhile === 'adding')
    return `the process that serves the set goes on adding ${path}; ${look} whether it is a spare by now: if so, the set needs it at every start ("dmremap boot enable" again, if it starts at boot)`;
  return `${path} is spare ${done.spareIndex} of the set, which is being opened again; ${look} when it is served; ${atBoot ?? neededText(path)}`;
}

export function neededText(path: string): string {
  return `from now on the set needs it: give ${commandLine(['--spare', path])} behind the others`;
}
