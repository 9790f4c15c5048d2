import { constants, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ERRNO, errnoName } from '../base/errno.js';
import { FAILED_EARLIER, hasUntold } from '../frontends/ublk/flush-failures.js';
import { blockDeviceUsers } from '../kernel/block-device-users.js';
import { type BlockStatistics, blockStatistics } from '../kernel/block-statistics.js';
import { close as closeFd } from '../kernel/ffi.js';
import { DEVICE_STATE, FEATURE_FLAG } from '../kernel/ublk-abi.js';
import type { UblkControl } from '../kernel/ublk-control.js';
import { isZeroCopy, type UblkDeviceInfo, ZERO_COPY_FLAGS } from '../kernel/ublk-device-info.js';
import type { UblkParams } from '../kernel/ublk-params.js';
import { hasWriteCache } from '../kernel/write-cache.js';
import { notice } from '../runtime/notice.js';
import type { DeviceInfo, DeviceNotice, UblkEndpoint } from './device-types.js';
import { DmRemapError } from './errors.js';
import { SwapWatch } from './swap-watch.js';
import type { ThreadClient } from './thread-client.js';
import type { UblkPlan } from './ublk-plan.js';
import { hasUntoldFailure, removeProperties, writeProperties } from './ublk-properties.js';
import { startRecovery } from './ublk-recovery.js';
import { blockPath, charPath, serverTagOfSetId } from './ublk-registry.js';
import { removeUblkDevice } from './ublk-removal.js';
import { UblkThreads } from './ublk-threads.js';

/** Makes the block device of an open set appear, or goes on with the one that an earlier server left. */
export async function serveUblk(
  plan: UblkPlan,
  client: ThreadClient,
  info: DeviceInfo,
  tell: (notice: DeviceNotice) => void,
): Promise<UblkServer> {
  const { control } = plan;
  const recovers = plan.orphan !== undefined && (await canRecover(control, plan.orphan));
  const device = recovers ? plan.orphan! : await addDevice(plan, info);
  const server = new UblkServer({ control, threads: new UblkThreads(client), device, info, recovers });
  try {
    const isUntold = recovers && hasUntoldFailure(device.deviceId);
    writeProperties(device.deviceId, { ...info, hasUntoldFailure: isUntold });
    if (recovers) await startRecovery(control, device.deviceId);
    const isNeverFlushed = recovers && info.geometry.queue.volatileCache && !hasWriteCache(server.path);
    if (isNeverFlushed) tell(neverFlushed(server.path));
    await server.fetchAll(info.ublkMemoryOffset, isUntold, isNeverFlushed);
    const result = recovers
      ? await control.endRecovery(device.deviceId)
      : await control.start(device.deviceId);
    if (result < 0) throw commandFailed('cannot be started', device.deviceId, result);
    // From here on it is this process that knows; a start that failed would have forgotten it.
    if (isUntold) writeProperties(device.deviceId, { ...info, hasUntoldFailure: false });
    server.watchSwap(tell);
    return server;
  } catch (error) {
    if (!recovers) await server.stop();
    throw error;
  }
}

export class UblkServer implements UblkEndpoint {
  readonly path: string;
  readonly queueCount: number;
  readonly depth: number;
  readonly isZeroCopy: boolean;
  readonly isRecovered: boolean;
  readonly #control: UblkControl;
  readonly #threads: UblkThreads;
  readonly #device: UblkDeviceInfo;
  readonly #info: DeviceInfo;
  readonly #flushFailuresTold = new Int32Array(new SharedArrayBuffer(4));
  #charFd = -1;
  #swapWatch: SwapWatch | undefined;

  constructor({ control, threads, device, info, recovers }: UblkServerParts) {
    this.#control = control;
    this.#threads = threads;
    this.#device = device;
    this.#info = info;
    this.path = blockPath(device.deviceId);
    this.queueCount = device.queueCount;
    this.depth = device.queueDepth;
    this.isZeroCopy = isZeroCopy(device);
    this.isRecovered = recovers;
  }

  /** Has every queue ask for its first requests. `isUntold`: the process before has left a failed flush to be told of. */
  async fetchAll(memoryOffset: number, isUntold: boolean, isNeverFlushed: boolean): Promise<void> {
    const { deviceId, maxIoBytes } = this.#device;
    const { depth, isZeroCopy, queueCount } = this;
    this.#charFd = await openNode(charPath(deviceId));
    if (isUntold) this.#flushFailuresTold[0] = FAILED_EARLIER;
    const flushFailuresTold = this.#flushFailuresTold.buffer;
    const charFd = this.#charFd;
    const memory = { maxIoBytes, isZeroCopy, memoryOffset };
    const job = { charFd, queueIndex: 0, depth, ...memory, flushFailuresTold, isNeverFlushed };
    await this.#threads.serve(queueCount, job);
  }

  get ended(): Promise<void> {
    return this.#threads.ended();
  }

  /** Rejects if a thread that serves it crashed. */
  get crashed(): Promise<never> {
    return this.#threads.crashed;
  }

  get hasLostThread(): boolean {
    return this.#threads.hasLostThread;
  }

  /** When it is started. */
  watchSwap(tell: (notice: DeviceNotice) => void): void {
    this.#swapWatch = new SwapWatch(this.path, tell);
  }

  users(): string[] {
    return blockDeviceUsers(this.path);
  }

  statistics(): BlockStatistics | undefined {
    return blockStatistics(this.path);
  }

  async stop(): Promise<void> {
    this.#swapWatch?.end();
    const { deviceId } = this.#device;
    const stopped = await this.#control.stop(deviceId);
    await this.#threads.ended();
    await this.#threads.close();
    if (this.#charFd >= 0) closeFd(this.#charFd);
    const deleted = await removeUblkDevice(this.#control, deviceId);
    removeProperties(deviceId);
    for (const result of [stopped, deleted])
      if (result < 0 && result !== -ERRNO.ENODEV) throw commandFailed('cannot be removed', deviceId, result);
  }

  async release(): Promise<void> {
    this.#swapWatch?.end();
    await this.#threads.release();
  }

  /** The device is closed. `flushFailureCount`: how many flushes of it failed. */
  leaveToNext(flushFailureCount: number): void {
    if (hasUntold(this.#flushFailuresTold, flushFailureCount))
      writeProperties(this.#device.deviceId, { ...this.#info, hasUntoldFailure: true });
  }
}

interface UblkServerParts {
  readonly control: UblkControl;
  readonly threads: UblkThreads;
  readonly device: UblkDeviceInfo;
  readonly info: DeviceInfo;
  /** The block device was there already. */
  readonly recovers: boolean;
}

/** Its parameters are those it was added with: a disk with a cache may have joined the set since then. */
function neverFlushed(path: string): DeviceNotice {
  const message =
    `${path} was made when no disk of the set had a write cache, so that it is sent no flushes: every write is made ` +
    'durable, which is slow; stop the set and start it again when that can be done';
  return notice('warn', 'neverFlushed', message, {});
}

/** A device whose server ended in the middle waits for the next one, unless its kernel can't do so. */
async function canRecover(control: UblkControl, orphan: UblkDeviceInfo): Promise<boolean> {
  const info = await control.info(orphan.deviceId);
  if (!info.ok) return false;
  if (info.value.state !== DEVICE_STATE.DEAD) return true;
  const result = await removeUblkDevice(control, orphan.deviceId);
  if (result < 0)
    throw commandFailed('is left from an earlier run and cannot be removed', orphan.deviceId, result);
  return false;
}

async function addDevice(plan: UblkPlan, info: DeviceInfo): Promise<UblkDeviceInfo> {
  const { control, queueCount, depth: queueDepth, maxIoBytes } = plan;
  const serverTag = serverTagOfSetId(info.setId);
  const flags = RECOVERY_FLAGS | (await zeroCopyFlags(control, info));
  const added = await control.add({ queueCount, queueDepth, maxIoBytes, flags, serverPid: -1, serverTag });
  if (!added.ok) throw new DmRemapError('system', `no ublk device can be added: ${errnoName(added.error)}`);
  const result = await control.setParams(added.value.deviceId, paramsOf(info, added.value));
  if (result === 0) return added.value;
  await removeUblkDevice(control, added.value.deviceId);
  throw commandFailed('the driver refused its parameters', added.value.deviceId, result);
}

/** A write may be given out again after a crash: ours may all be repeated. */
const RECOVERY_FLAGS = FEATURE_FLAG.USER_RECOVERY | FEATURE_FLAG.USER_RECOVERY_REISSUE;

/** Where the driver offers it and the disks take it. */
async function zeroCopyFlags(control: UblkControl, { geometry }: DeviceInfo): Promise<number> {
  if (!geometry.takesRequestBuffers) return 0;
  const offered = await control.features();
  return (offered & ZERO_COPY_FLAGS) === ZERO_COPY_FLAGS ? ZERO_COPY_FLAGS : 0;
}

function paramsOf({ geometry }: DeviceInfo, device: UblkDeviceInfo): UblkParams {
  const { queue } = geometry;
  return {
    sizeBytes: geometry.sizeBytes,
    logicalBlockBytes: geometry.logicalBlockBytes,
    physicalBlockBytes: geometry.physicalBlockBytes,
    minimumIoBytes: Math.max(queue.minimumIoBytes, geometry.physicalBlockBytes),
    optimalIoBytes: queue.optimalIoBytes,
    maxIoBytes: Math.min(device.maxIoBytes, queue.maxTransferBytes),
    rotational: geometry.rotational,
    readOnly: geometry.readOnly,
    volatileCache: queue.volatileCache,
    discardGranularityBytes: queue.discardGranularityBytes,
    canWriteZeroes: queue.canWriteZeroes,
    memoryAlignmentBytes: isZeroCopy(device) ? geometry.memoryAlignmentBytes : COPY_ALIGNMENT_BYTES,
  };
}

/** The node is made by devtmpfs or udev, a moment after the device. */
async function openNode(path: string): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return openSync(path, constants.O_RDWR);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' || attempt === NODE_ATTEMPTS)
        throw new DmRemapError('system', `${path}: ${code}; the device node is needed (devtmpfs or udev)`);
      await delay(NODE_RETRY_MS);
    }
  }
}

function commandFailed(what: string, deviceId: number, result: number): DmRemapError {
  return new DmRemapError('system', `${blockPath(deviceId)}: ${what}: ${errnoName(-result)}`);
}

/** Requests are copied into our own pages, so any client memory will do that the driver itself takes. */
const COPY_ALIGNMENT_BYTES = 4;
const NODE_ATTEMPTS = 100;
const NODE_RETRY_MS = 50;
