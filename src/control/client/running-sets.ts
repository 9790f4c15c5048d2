import { readdirSync } from 'node:fs';
import { join } from 'node:path';
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

/** Every set that answers, by name; what a process that died has left is passed over. */
export async function runningSets(runDirectory: string): Promise<RunningSet[]> {
  const found: RunningSet[] = [];
  for (const socketPath of socketsIn(runDirectory)) {
    const client = new ControlClient(socketPath);
    try {
      found.push({ client, device: await client.device() });
    } catch (error) {
      if (!(error instanceof DmRemapError && error.failure === 'device')) throw error;
    }
  }
  return found.sort((one, other) => (labelOf(one.device) < labelOf(other.device) ? -1 : 1));
}

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
