import { QUEUE_TICKET_COUNT } from '../device/limits.js';
import { QueueDevice, viewShare } from '../device/queue-device.js';
import { viewMappedMemory } from '../kernel/aligned-memory.js';
import { InlineStore } from '../kernel/inline-store.js';
import { isMemoryFile } from '../kernel/memory-file.js';
import { duplicateDevice, type OpenDevice } from '../kernel/open-device.js';
import type { UringReactor } from '../kernel/reactor.js';
import { UringStore } from '../kernel/uring-store.js';
import { wake } from '../kernel/wake-up.js';
import type { BlockStore } from '../ports/block-store.js';
import type { IoMemory } from '../ports/io-memory.js';
import type { QueueShare } from './queue-share.js';

/** A queue of a device that another thread owns, on this thread's ring. */
export function openQueue(share: QueueShare, reactor: UringReactor): OpenedQueue {
  const memory = viewMappedMemory(share.memoryAddress, share.memoryBytes);
  const stores = share.openDevices.map((device) => storeOf(duplicateDevice(device), memory, reactor));
  const device = new QueueDevice({
    ...viewShare(share.device, share.queueMemory),
    stores,
    wantPoll: () => reactor.kick(),
    wakeOwner: () => wake(share.ownerWakeUpFd),
  });
  for (const store of stores) store.attach(device);
  reactor.addPoller(device);
  // A wake-up leads to a turn, and so to a poll.
  reactor.onWake(() => reactor.kick());
  const close = (): void => {
    reactor.removePoller(device);
    for (const store of stores) store.close();
  };
  return { device, memory, close };
}

export interface OpenedQueue {
  readonly device: QueueDevice;
  readonly memory: IoMemory;
  /** When the device is idle. */
  close(): void;
}

function storeOf(device: OpenDevice, memory: IoMemory, reactor: UringReactor): BlockStore {
  if (device.kind === 'file' && isMemoryFile(device.fd))
    return new InlineStore(device, memory, reactor, QUEUE_TICKET_COUNT);
  return new UringStore(device, memory, reactor.ring, QUEUE_TICKET_COUNT);
}
