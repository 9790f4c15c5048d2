import { setTimeout as delay } from 'node:timers/promises';
import { ERRNO, errnoName } from '../base/errno.js';
import type { UblkControl } from '../kernel/ublk-control.js';
import { DISK_PATIENCE_MS } from './disk-patience.js';
import { DmRemapError } from './errors.js';
import { blockPath } from './ublk-registry.js';

/**
 * Makes the driver forget the queues of a server that is gone, so that this process can fetch. -EBUSY as long as the
 * driver tears the earlier server down.
 *
 * -EINVAL (before Linux 6.16: drivers/block/ublk_drv.c, ublk_ctrl_start_recovery) means that no queue is there to be
 * forgotten: another server was killed between this command and its first fetch. All is ready for ours.
 */
export async function startRecovery(
  control: Pick<UblkControl, 'startRecovery'>,
  deviceId: number,
  limitMs = DISK_PATIENCE_MS,
): Promise<void> {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    const result = await control.startRecovery(deviceId);
    if (result === 0 || result === -ERRNO.EINVAL) return;
    if (result !== -ERRNO.EBUSY || performance.now() >= untilMs) throw notTakenOver(deviceId, result);
    await delay(RECOVERY_RETRY_MS);
  }
}

function notTakenOver(deviceId: number, result: number): DmRemapError {
  return new DmRemapError(
    'system',
    `${blockPath(deviceId)}: cannot be taken over from the server that is gone: ${errnoName(-result)}`,
  );
}

const RECOVERY_RETRY_MS = 50;
