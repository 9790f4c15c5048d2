import { expect, test } from 'vitest';
import { assert } from '../base/assert.js';
import { ArrayDevice } from '../frontends/testing/array-device.js';
import { TestLoop } from '../frontends/testing/test-loop.js';
import { UringReactor } from '../kernel/reactor.js';
import { describeUring } from '../kernel/testing/uring-available.js';
import { plainMemory } from '../ports/io-memory.js';
import { UblkQueueServer } from './ublk-queue-server.js';

describeUring('a ublk queue that could not be started', () => {
  test('has ended, so that nobody waits for it when the other queues are stopped', () => {
    const opened = UringReactor.open(8);
    assert(opened.ok, 'no ring');
    const reactor = opened.value;
    const device = new ArrayDevice(plainMemory(4096), new TestLoop());
    const server = new UblkQueueServer({ reactor, device, memoryAddress: 0 });
    const problem = server.start({
      charFd: NO_FILE,
      queueIndex: 3,
      depth: 1,
      maxIoBytes: 4096,
      isZeroCopy: false,
      memoryOffset: 0,
      flushFailuresTold: new SharedArrayBuffer(4),
      isNeverFlushed: false,
    });
    expect(problem?.message).toContain('queue 3: EBADF');
    let hasEnded = false;
    server.whenEnded(() => {
      hasEnded = true;
    });
    expect(hasEnded).toBe(true);
    reactor.close();
  });
});

const NO_FILE = -1;
