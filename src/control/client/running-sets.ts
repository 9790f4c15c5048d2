import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DmRemapError } from '../../library/errors.js';
import { SOCKET_SUFFIX } from '../run-directory.js';
import type { DeviceResource } from '../schema/device.js';
import { ControlClient } from './control-client.js';
import { labelOf } from './pick-set.js';

/** A set that a process serves now. */
export interface RunningSet {
  readonly client: ControlClient;
  readonly device: DeviceResource;
}

/** Every set that answers, by name; what a process that died has left is passed over, and so is a set that is being closed. */
export async function runningSets(runDirectory: string): Promise<RunningSet[]> {
  const asked = socketsIn(runDirectory).map((socketPath) => runningSet(new ControlClient(socketPath)));
  const found = (await Promise.all(asked)).filter((set) => set !== undefined);
  return found.sort((one, other) => (labelOf(one.device) < labelOf(other.device) ? -1 : 1));
}

/** One that is being closed refuses to tell. That may be over in a moment, and must not hide the others. */
async function runningSet(client: ControlClient): Promise<RunningSet | undefined> {
  for (let look = 1; ; look += 1) {
    try {
      return { client, device: await client.device() };
    } catch (error) {
      if (!(error instanceof DmRemapError)) throw error;
      if (error.failure === 'device') return undefined;
      if (error.failure !== 'system') throw error;
      if (look === CLOSING_LOOKS) return undefined;
    }
    await delay(CLOSING_PAUSE_MS);
  }
}

const CLOSING_LOOKS = 10;
const CLOSING_PAUSE_MS = 200;

function socketsIn(runDirectory: string): string[] {
  try {
    const names = readdirSync(runDirectory).filter((name) => name.endsWith(SOCKET_SUFFIX));
    return names.map((name) => join(runDirectory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new DmRemapError(
      'device',
      `${runDirectory}: can't be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}
