import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assert } from '../base/assert.js';
import { UringReactor } from './reactor.js';
import { describeUring } from './testing/uring-available.js';
import { wake } from './wake-up.js';

let reactor: UringReactor;

describeUring('UringReactor', () => {
  beforeEach(() => {
    const opened = UringReactor.open(32);
    assert(opened.ok, 'no ring');
    reactor = opened.value;
  });
  afterEach(() => reactor.close());

  test('a loop that waits for ever is woken by another thread, again and again', async () => {
    let wakes = 0;
    reactor.onWake(() => {
      wakes += 1;
      if (wakes === 3) reactor.stop();
    });
    const worker = new Worker(WAKING_THREAD, {
      eval: true,
      workerData: { fd: reactor.wakeUpFd, times: 3, pauseMs: 20, koffi: import.meta.resolve('koffi') },
    });
    reactor.run();
    expect(wakes).toBe(3);
    await worker.terminate();
  });

  test('a wake before the loop starts is not lost', () => {
    reactor.onWake(() => reactor.stop());
    wake(reactor.wakeUpFd);
    reactor.run();
  });

  test('a loop that only serves the ring hears a wake, and runs no timer and no poller', () => {
    const seen: string[] = [];
    reactor.onWake(() => {
      seen.push('wake');
      reactor.stop();
    });
    reactor.after(0, () => seen.push('timer'));
    reactor.addPoller({ poll: () => seen.push('poll') > 0 });
    wake(reactor.wakeUpFd);
    reactor.serveRing();
    expect(seen).toEqual(['wake']);
  });

  test('timers run in the order of their due times, none before its own', () => {
    const order: string[] = [];
    const startMs = reactor.nowMs();
    let firstMs = 0;
    reactor.after(30, () => reactor.stop());
    reactor.after(20, () => order.push('c'));
    reactor.after(10, () => {
      firstMs = reactor.nowMs() - startMs;
      order.push('a');
    });
    reactor.after(10, () => order.push('b'));
    expect(order).toEqual([]);
    reactor.run();
    expect(order).toEqual(['a', 'b', 'c']);
    expect(firstMs).toBeGreaterThanOrEqual(10);
  });

  test('a timer set by a timer runs in a later turn', () => {
    let turns = 0;
    const again = () => {
      turns += 1;
      if (turns === 5) reactor.stop();
      else reactor.after(0, again);
    };
    reactor.after(0, again);
    reactor.turn(0);
    expect(turns).toBe(1);
    reactor.run();
    expect(turns).toBe(5);
  });

  test('every poller is called once per turn, until it is removed', () => {
    const calls: string[] = [];
    const first = { poll: () => calls.push('first') < 0 };
    const second = { poll: () => calls.push('second') < 0 };
    reactor.addPoller(first);
    reactor.addPoller(second);
    reactor.turn(0);
    reactor.removePoller(first);
    reactor.turn(0);
    reactor.removePoller(second);
    expect(calls).toEqual(['first', 'second', 'second']);
  });

  test('the loop does not block while a poller has more', () => {
    let left = 1000;
    const poller = {
      poll() {
        left -= 1;
        if (left === 0) reactor.stop();
        return left > 0;
      },
    };
    reactor.addPoller(poller);
    reactor.run();
    expect(left).toBe(0);
    reactor.removePoller(poller);
  });

  test('a kick from a later poller keeps the loop from blocking', () => {
    let isPending = false;
    const early = {
      poll() {
        if (isPending) reactor.stop();
        return false;
      },
    };
    const late = {
      poll() {
        isPending = true;
        reactor.kick();
        return false;
      },
    };
    let wasLate = false;
    reactor.addPoller(early);
    reactor.addPoller(late);
    reactor.after(3000, () => {
      wasLate = true;
      reactor.stop();
    });
    reactor.run();
    expect(isPending).toBe(true);
    expect(wasLate).toBe(false);
    reactor.removePoller(early);
    reactor.removePoller(late);
  });
});

/** Writes to the eventfd with its own FFI, as any thread of the process may. */
const WAKING_THREAD = `
  const { workerData } = require('node:worker_threads');
  import(workerData.koffi).then(async ({ default: koffi }) => {
    const write = koffi.load(null).func('write', 'long', ['int', 'void *', 'size_t']);
    for (let time = 0; time < workerData.times; time += 1) {
      await new Promise((resolve) => setTimeout(resolve, workerData.pauseMs));
      write(workerData.fd, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 8);
    }
  });
`;
