import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NodeReactor } from './node-reactor.js';

describe('NodeReactor', () => {
  let reactor: NodeReactor;
  beforeEach(() => {
    reactor = new NodeReactor();
  });
  afterEach(() => reactor.close());

  const pause = (delayMs: number) => new Promise<void>((resolve) => reactor.after(delayMs, resolve));

  test('a timer does not run before its time, nor inside the call', async () => {
    const startMs = reactor.nowMs();
    await pause(10);
    expect(reactor.nowMs() - startMs).toBeGreaterThanOrEqual(10);
  });

  test('a kick makes every poller run once, outside the call', async () => {
    const calls: string[] = [];
    reactor.addPoller({ poll: () => calls.push('first') < 0 });
    reactor.addPoller({ poll: () => calls.push('second') < 0 });
    expect(calls).toEqual([]);
    await pause(5);
    expect(calls).toEqual(['first', 'second']);
    reactor.kick();
    reactor.kick();
    await pause(5);
    expect(calls).toEqual(['first', 'second', 'first', 'second']);
  });

  test('turns go on as long as a poller has more', async () => {
    let left = 100;
    await new Promise<void>((resolve) => {
      reactor.addPoller({
        poll() {
          left -= 1;
          if (left === 0) resolve();
          return left > 0;
        },
      });
    });
    expect(left).toBe(0);
  });

  test('nothing runs after close', async () => {
    const calls: string[] = [];
    reactor.addPoller({ poll: () => calls.push('poller') < 0 });
    reactor.after(1, () => calls.push('timer'));
    reactor.close();
    reactor.kick();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(calls).toEqual([]);
  });
});
