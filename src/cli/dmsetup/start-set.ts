import { join } from 'node:path';
import type { DeviceResource } from '../../control/schema/device.js';
import { DmRemapError, type FailureClass } from '../../library/errors.js';
import { type BackgroundOutcome, problemOfLog } from '../background-run.js';
import type { CliContext } from '../cli-context.js';
import { EXIT_STATUS } from '../exit-status.js';

/** NAME.log in the run directory, for a process that is yet to be started. Fails where it could not be written. */
export async function logPathFor(name: string, { runDirectory }: CliContext): Promise<string> {
  if (runDirectory === undefined)
    throw new DmRemapError('system', 'no run directory: set XDG_RUNTIME_DIR to a directory of yours');
  const logPath = join(runDirectory, `${encodeURIComponent(name)}.log`);
  const problem = await problemOfLog(logPath);
  if (problem !== undefined) throw new DmRemapError('system', problem);
  return logPath;
}

/** Has a set served by a process of its own. Fails as that does, with its words. */
export async function startSet(
  runArguments: readonly string[],
  logPath: string,
  context: CliContext,
): Promise<DeviceResource> {
  const outcome = await context.startInBackground({ runArguments, logPath });
  if (outcome.kind === 'failed') throw failureOf(outcome);
  const own = (await context.running.all()).find(({ device }) => device.processId === outcome.processId);
  if (own !== undefined) return own.device;
  throw new DmRemapError(
    'system',
    `process ${outcome.processId} serves it without a control socket: see ${logPath}`,
  );
}

/** Its status has the class. */
function failureOf({ status, reason }: Extract<BackgroundOutcome, { kind: 'failed' }>): DmRemapError {
  const failure = CLASSES.find((name) => EXIT_STATUS[name] === status);
  return new DmRemapError(failure ?? 'system', reason);
}

const CLASSES: readonly FailureClass[] = ['usage', 'device', 'refused', 'metadata', 'io', 'system'];
