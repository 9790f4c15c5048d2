import { describe, expect, it } from 'vitest';
import { ERRNO } from '../../base/errno.js';
import { Actor } from '../actor.js';
import { Random } from '../random.js';
import { SimClock } from '../sim-clock.js';
import { DriverQueue } from './driver-queue.js';

/** A queue with a process that gets requests; `events` tells what happened. */
function serve(clock: SimClock, queue: DriverQueue, events: string[], actor = new Actor(clock)): void {
  const channel = queue.open(actor);
  const arrived = (tag: number, result: number): unknown =>
    events.push(result === 0 ? `arrived ${tag}` : `taken back ${result}`);
  channel.attach({ arrived, copied: () => {} });
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
    ['succeeds', 512, ['arrived 0', 'answered 0', 'heard', 'arrived 0']],
    ['fails', -5, ['arrived 0', 'heard', `taken back ${-ERRNO.ECANCELED}`]],
  ])('has an answer that goes along with an I/O given when that %s, before the thread hears of it, or taken back', (_how, result, expected) => {
    const [clock, events]: [SimClock, string[]] = [new SimClock(), []];
    const queue = new DriverQueue(clock, new Random(1));
    const actor = new Actor(clock);
    serve(clock, queue, events, actor);
    const completed = (_: number, errno: number): void => {
      events.push(`answered ${errno}`);
      flush(queue, events);
    };
    queue.write(queue.acquire({ completed }), 0, 512, 0, false);
    clock.advance(1);
    let over: (result: number, hear: () => void) => void = () => {};
    const front = {
      link: (_: number, linked: typeof over): void => {
        over = linked;
      },
    };
    expect(queue.commitAfter(queue.queuedTotal, 0, 512, 0)).toBe(false);
    actor.begun.begin(front, 7);
    expect(queue.commitAfter(queue.queuedTotal - 1, 0, 512, 0)).toBe(true);
    over(result, () => events.push('heard'));
    clock.advance(2);
    expect(events).toEqual(expected);
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
