import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { assert } from '../base/assert.js';
import { UringReactor } from '../kernel/reactor.js';
import { failure } from './failure.js';
import { Mailbox } from './mailbox.js';
import type { QueueThreadOptions } from './messages.js';
import { openQueue } from './open-queue.js';
import { QueueCallServer } from './queue-call-server.js';
import { UblkQueueServer } from './ublk-queue-server.js';

/** The thread of one further queue of a ublk device. It sits in the kernel as the device's own thread does. */
function runQueueThread(port: MessagePort, { share, wakeUpFd }: QueueThreadOptions): void {
  const reactor = UringReactor.open(SUBMISSION_ENTRIES, wakeUpFd);
  if (!reactor.ok) {
    const message = `no io_uring for another queue: ${reactor.error.meaning}`;
    return port.postMessage({ kind: 'openFailed', failure: failure('system', message) });
  }
  const queue = openQueue(share, reactor.value);
  const mailbox = new Mailbox(port, { kind: 'uring', reactor: reactor.value, why: 'asked for' });
  let inOrder = false;
  const { device } = queue;
  const ublk = new UblkQueueServer({ reactor: reactor.value, device, memoryAddress: share.memoryAddress });
  const calls = new QueueCallServer({ queue, ublk, reactor: reactor.value, mailbox }, (isInOrder) => {
    inOrder = isInOrder;
    mailbox.close();
    reactor.value.stop();
  });
  mailbox.post({ kind: 'opened', info: undefined });
  mailbox.listen((message) => calls.handle(message));
  reactor.value.run();
  if (inOrder) reactor.value.close();
}

const SUBMISSION_ENTRIES = 512;

assert(parentPort !== null, 'runs in a worker thread');
runQueueThread(parentPort, workerData as QueueThreadOptions);
