import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { ERRNO, errnoName } from '../base/errno.js';
import type { Result } from '../base/result.js';
import { isProcessAlive } from '../kernel/process-alive.js';
import { signalProcess } from '../kernel/signal-process.js';
import { DEVICE_STATE } from '../kernel/ublk-abi.js';
import { CONTROL_PATH, UblkControl } from '../kernel/ublk-control.js';
import type { UblkDeviceInfo } from '../kernel/ublk-device-info.js';
import type { UblkOptions } from './device-types.js';
import { DISK_PATIENCE_MS } from './disk-patience.js';
import { DmRemapError } from './errors.js';
import { blockPath, findUblkDevice, serverTagOf } from './ublk-registry.js';

/** What is known before the set is opened: whether its block device is still there from an earlier server. */
export interface UblkPlan {
  readonly control: UblkControl;
  /** Left behind by a server that is gone, or that is just handing over. */
  readonly orphan: UblkDeviceInfo | undefined;
  readonly queueCount: number;
  readonly depth: number;
  /** Largest request. */
  readonly maxIoBytes: number;
}

/** Reaches the driver, and frees the set of a server that is still there if `takeOver` says so. */
export async function planUblk(spares: readonly string[], options: UblkOptions): Promise<UblkPlan> {
  const control = openControl();
  try {
    const tag = await serverTagOf(spares);
    const known = tag === undefined ? undefined : await findUblkDevice(control, tag);
    if (known !== undefined) await waitForServerToLeave(control, known, options.takeOver === true);
    const { queueCount, queueDepth: depth, maxIoBytes } = known ?? wantedShape(options);
    return { control, orphan: known, queueCount, depth, maxIoBytes };
  } catch (error) {
    control.close();
    throw error;
  }
}

export function openControl(): UblkControl {
  let control = UblkControl.open();
  if (!control.ok && control.error === ERRNO.ENOENT) {
    spawnSync('modprobe', ['--quiet', 'ublk_drv'], { stdio: 'ignore' });
    control = UblkControl.open();
  }
  if (control.ok) return control.value;
  throw new DmRemapError('system', `${CONTROL_PATH}: ${meaningOf(control)}`);
}

function meaningOf(control: Result<UblkControl, number> & { ok: false }): string {
  switch (control.error) {
    case ERRNO.ENOENT:
      return 'not there: the ublk driver is not loaded (modprobe ublk_drv; Linux 6.1 or later); or serve with --nbd';
    case ERRNO.EACCES:
    case ERRNO.EPERM:
      return 'not permitted; run as root, or serve with --nbd, which needs no rights';
    default:
      return `${errnoName(control.error)}; ublk needs io_uring with 128-byte entries (Linux 5.19)`;
  }
}

/** Each request that can be in flight has memory of its own. */
export function wantedShape(
  options: UblkOptions,
): Pick<UblkDeviceInfo, 'queueCount' | 'queueDepth' | 'maxIoBytes'> {
  const { queueCount = 1, depth: queueDepth = DEFAULT_DEPTH } = options;
  const mostRequests = MAX_TAG_MEMORY_BYTES / MAX_IO_BYTES;
  if (queueCount * queueDepth > mostRequests)
    throw new DmRemapError(
      'usage',
      `${queueCount} queues of ${queueDepth} requests: at most ${mostRequests} in all; use a depth of ${Math.floor(mostRequests / queueCount)}`,
    );
  return { queueCount, queueDepth, maxIoBytes: MAX_IO_BYTES };
}

/** A server that was killed is seen as there for a moment; one that serves goes only when it is asked to. */
async function waitForServerToLeave(
  control: UblkControl,
  { deviceId, serverPid, state }: UblkDeviceInfo,
  takeOver: boolean,
): Promise<void> {
  if (state !== DEVICE_STATE.LIVE) return;
  // Its own process has started itself again: what it was before is gone.
  if (serverPid !== process.pid && isProcessAlive(serverPid)) {
    if (!takeOver) throw alreadyServed(deviceId, serverPid);
    signalProcess(serverPid, 'SIGUSR2');
  }
  const untilMs = performance.now() + DISK_PATIENCE_MS;
  for (;;) {
    const info = await control.info(deviceId);
    if (!info.ok || info.value.state !== DEVICE_STATE.LIVE) return;
    if (performance.now() >= untilMs) throw didNotLeave(deviceId, serverPid);
    await delay(LEAVE_CHECK_MS);
  }
}

function alreadyServed(deviceId: number, pid: number): DmRemapError {
  return new DmRemapError(
    'device',
    `${blockPath(deviceId)}: this set is served by process ${pid}; stop it (dmremap stop), or replace it with --take-over`,
  );
}

function didNotLeave(deviceId: number, pid: number): DmRemapError {
  return new DmRemapError(
    'system',
    `${blockPath(deviceId)}: process ${pid} did not hand over; a disk may be hanging: see the kernel log`,
  );
}

/** As the C++ server of the driver's authors (ublksrv), which it is measured against. */
const DEFAULT_DEPTH = 128;
const MAX_IO_BYTES = 512 << 10;
/** All I/O memory is one array: Node 20 makes none of more than 4 GiB, and koffi ends the process where it is asked to. */
const MAX_TAG_MEMORY_BYTES = 3 * 2 ** 30;
const LEAVE_CHECK_MS = 50;
