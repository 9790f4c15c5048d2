import { setTimeout as delay } from 'node:timers/promises';
import { NoAnswer } from '../control/client/no-answer.js';
import type { DeviceResource } from '../control/schema/device.js';
import { DmRemapError } from '../library/errors.js';
import type { CliContext } from './cli-context.js';
import { devicesOf } from './follow-at-boot.js';
import { type NeededDevices, untilServed } from './until-served.js';

/**
 * Asks whoever serves the set, also when that is another process by now, after a crash or for an upgrade. `ask` may be
 * called several times, so it must be something that changes nothing the second time. `needed`: as `untilServed` takes it.
 */
export async function askPatiently<Answer>(
  ask: () => Promise<Answer>,
  device: ServedDevice,
  context: Pick<CliContext, 'running' | 'library' | 'err'>,
  needed: NeededDevices | null = devicesOf(device),
): Promise<Answer> {
  let server: Pick<DeviceResource, 'setId' | 'processId'> = device;
  for (let closingCount = 0; ; await delay(PAUSE_MS)) {
    try {
      return await ask();
    } catch (error) {
      // A process that is closing the set refuses, and will be gone in a moment.
      const isClosing = error instanceof DmRemapError && error.failure === 'system';
      if (isClosing) closingCount += 1;
      const isAway = error instanceof NoAnswer || (isClosing && closingCount <= CLOSING_LIMIT);
      if (!isAway) throw error;
    }
    server = await untilServed(server, context, () => true, needed);
  }
}

type ServedDevice = Pick<DeviceResource, 'setId' | 'processId' | 'main' | 'spares'>;

const PAUSE_MS = 100;
const CLOSING_LIMIT = 50;
