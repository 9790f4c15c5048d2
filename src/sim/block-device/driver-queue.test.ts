import { describe, expect, it } from 'vitest';
import { Actor } from '../actor.js';
import { Random } from '../random.js';
import { SimClock } from '../sim-clock.js';
import { DriverQueue } from './driver-queue.js';

/** A queue with a process that gets requests; `events` tells what happened. */
function serve(clock: SimClock, queue: DriverQueue, events: string[]): void {
  const channel = queue.open(new Actor(clock));
  channel.attach({ arrived: (tag) => events.push(`arrived ${tag}`), copied: () => {} });
  for (let tag = 0; tag < channel.depth; tag += 1) channel.fetch(tag, 4096 * tag);
  clock.advance(1);
}

function flush(queue: DriverQueue, events: string[]): number {
  const tag = queue.acquire({ completed: (_tag, errno) => events.push(`answered ${errno}`) });
  queue.flush(tag);
  return tag;
}

describe('a queue of a block device', () => {
  it('keeps a request until a process asks for it', () => {
    const [clock, events]: [SimClock, string[]] = [new SimClock(), []];
    const queue = new DriverQueue(clock, new Random(1));
    const tag = flush(queue, events);
    serve(clock, queue, events);
    queue.commit(tag, -5, 0);
    expect(events).toEqual(['arrived 0']);
    clock.advance(1);
    expect(events).toEqual(['arrived 0', 'answered 5']);
  });

  it.each([
    ['killed', (queue: DriverQueue) => queue.kill(), ['arrived 0', 'arrived 0']],
    ['released', (queue: DriverQueue) => queue.release(), ['arrived 0', 'answered 0']],
  ])('gives a request out again whose answer was on its way when the process was %s, or not', (_how, end, expected) => {
    const [clock, events]: [SimClock, string[]] = [new SimClock(), []];
    const queue = new DriverQueue(clock, new Random(1));
    serve(clock, queue, events);
    const tag = flush(queue, events);
    clock.advance(1);
    queue.commit(tag, 0, 0);
    end(queue);
    clock.clear();
    serve(clock, queue, events);
    expect(events).toEqual(expected);
  });
});
