import { failed, ok, type Result } from '../base/result.js';
import type { DeviceShare } from '../device/device-share.js';
import type { QueueLink } from '../device/queue-link.js';
import type { OpenDevice } from '../kernel/open-device.js';
import { wake } from '../kernel/wake-up.js';
import type { Failure } from './failure.js';
import { failure } from './failure.js';
import type { StartedDevice } from './start-device.js';

/** What a thread is given to serve a queue of a device that another thread owns. Structured-clone-able. */
export interface QueueShare {
  readonly device: DeviceShare;
  /** Of `QueueMemory`. */
  readonly queueMemory: SharedArrayBuffer;
  /** By target. Descriptors are the process's. */
  readonly openDevices: readonly OpenDevice[];
  /** The I/O memory, which all threads see at the same address. */
  readonly memoryAddress: number;
  readonly memoryBytes: number;
  /** Wakes the owner. */
  readonly ownerWakeUpFd: number;
}

/** The owner's part. `wakeUpFd`: wakes the thread of the queue. */
export function addQueue(
  started: StartedDevice,
  wakeUpFd: number,
): Result<{ readonly link: QueueLink; readonly share: QueueShare }, Failure> {
  const { device, backend, memory, sharedDevices } = started;
  if (backend.kind !== 'uring') return failed(failure('system', 'more than one queue needs io_uring'));
  if (sharedDevices === undefined)
    return failed(failure('usage', 'more than one queue does not go with --faults: use --queues 1'));
  const link = device.addQueue(() => wake(wakeUpFd));
  return ok({
    link,
    share: {
      device: device.share,
      queueMemory: link.memory.shared,
      openDevices: sharedDevices,
      memoryAddress: memory.address,
      memoryBytes: memory.bytes.byteLength,
      ownerWakeUpFd: backend.reactor.wakeUpFd,
    },
  });
}
