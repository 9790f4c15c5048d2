import { setTimeout as delay } from 'node:timers/promises';
import { ERRNO } from '../base/errno.js';
import type { UblkControl } from '../kernel/ublk-control.js';

/**
 * Takes a stopped device off the driver's list; answers with 0 or a negative errno. Its number is free when this comes
 * back, unless somebody still holds the block device, as a mount does whose device was taken away by force: then it
 * becomes free when they let go, and nobody waits for that here.
 */
export async function removeUblkDevice(
  control: Pick<UblkControl, 'delete' | 'deleteUnwaited' | 'info'>,
  deviceId: number,
  limitMs = RELEASE_LIMIT_MS,
): Promise<number> {
  const result = await control.deleteUnwaited(deviceId);
  if (result === -ERRNO.EOPNOTSUPP) return control.delete(deviceId);
  if (result < 0) return result;
  const untilMs = performance.now() + limitMs;
  while ((await control.info(deviceId)).ok && performance.now() < untilMs) await delay(RELEASE_CHECK_MS);
  return 0;
}

/** Whoever looks at a new or changed block device (udev) is done by then. */
const RELEASE_LIMIT_MS = 3_000;
const RELEASE_CHECK_MS = 20;
