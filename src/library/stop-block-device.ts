import { existsSync, realpathSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ERRNO, errnoName } from '../base/errno.js';
import { blockDeviceUsers } from '../kernel/block-device-users.js';
import { isProcessAlive } from '../kernel/process-alive.js';
import { signalProcess } from '../kernel/signal-process.js';
import { DEVICE_STATE } from '../kernel/ublk-abi.js';
import type { UblkControl } from '../kernel/ublk-control.js';
import type { UblkDeviceInfo } from '../kernel/ublk-device-info.js';
import { DISK_PATIENCE_MS } from './disk-patience.js';
import { DmRemapError } from './errors.js';
import { openControl } from './ublk-plan.js';
import { propertiesPath, removeProperties, setIdOfDevice } from './ublk-properties.js';
import { blockPath, ublkDeviceIds } from './ublk-registry.js';
import { removeUblkDevice } from './ublk-removal.js';

/**
 * Takes a block device away: asks the process that serves it to stop, or removes what a process that is gone has left.
 * `force`: although it is in use; those who use it get errors, and what they have not flushed is lost.
 */
export async function stopBlockDevice(
  path: string,
  { force }: { readonly force: boolean },
): Promise<StoppedBlockDevice> {
  const { deviceId, setId } = ourDevice(path);
  const control = openControl();
  try {
    const info = await control.info(deviceId);
    if (!info.ok) throw new DmRemapError('device', `${path}: no such ublk device (${errnoName(info.error)})`);
    const users = force ? [] : blockDeviceUsers(blockPath(deviceId));
    if (users.length > 0)
      throw new DmRemapError('refused', `${path}: ${users.join(', ')}; end that first, or use --force`);
    await remove(control, info.value, force);
    return { setId };
  } finally {
    control.close();
  }
}

export interface StoppedBlockDevice {
  /** Of the set that was served. */
  readonly setId: string;
}

function ourDevice(path: string): { readonly deviceId: number; readonly setId: string } {
  const real = existsSync(path) ? realpathSync(path) : path;
  const number = /^\/dev\/ublkb(\d+)$/.exec(real)?.[1];
  if (number === undefined)
    throw new DmRemapError('usage', `${path}: not a ublk block device; give /dev/ublkbN or a link to it`);
  const deviceId = Number(number);
  const setId = setIdOfDevice(deviceId);
  if (setId === undefined)
    throw new DmRemapError(
      'refused',
      `${path}: not served by dm-remap (${propertiesPath(deviceId)} does not say so)`,
    );
  return { deviceId, setId };
}

async function remove(control: UblkControl, info: UblkDeviceInfo, force: boolean): Promise<void> {
  const { deviceId, serverPid, state } = info;
  const isServed = state === DEVICE_STATE.LIVE && isProcessAlive(serverPid);
  if (isServed && !force) signalProcess(serverPid, 'SIGTERM');
  else await control.stop(deviceId);
  if (!isServed) {
    await removeUblkDevice(control, deviceId);
    removeProperties(deviceId);
    return;
  }
  await untilGone(control, info);
}

/**
 * The server finishes what is in flight, writes its metadata and removes the device itself. After a forced stop the
 * driver knows its number as long as somebody holds it; its nodes are gone.
 */
async function untilGone(control: UblkControl, { deviceId, serverPid }: UblkDeviceInfo): Promise<void> {
  const untilMs = performance.now() + DISK_PATIENCE_MS;
  for (;;) {
    const info = await control.info(deviceId);
    const isGone = !info.ok ? info.error === ERRNO.ENODEV : !ublkDeviceIds().includes(deviceId);
    if (isGone && !isProcessAlive(serverPid)) return;
    if (performance.now() >= untilMs)
      throw new DmRemapError(
        'system',
        `${blockPath(deviceId)}: process ${serverPid} has not stopped; its log says why`,
      );
    await delay(STOP_CHECK_MS);
  }
}

const STOP_CHECK_MS = 50;
