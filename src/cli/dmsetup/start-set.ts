import { join } from 'node:path';
import type { DeviceResource } from '../../control/schema/device.js';
import { DmRemapError, type FailureClass } from '../../library/errors.js';
import type { BackgroundOutcome } from '../background-run.js';
import type { CliContext } from '../cli-context.js';
import { EXIT_STATUS } from '../exit-status.js';

/** Has a set served by a process of its own, whose log goes to NAME.log in the run directory. Fails as that does, with its words. */
export async function startSet(
  name: string,
  runArguments: readonly string[],
  context: CliContext,
): Promise<DeviceResource> {
  const directory = context.runDirectory;
  if (directory === undefined)
    throw new DmRemapError('system', 'no run directory: set XDG_RUNTIME_DIR to a directory of yours');
  const logPath = join(directory, `${encodeURIComponent(name)}.log`);
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
