import { afterEach, beforeEach, expect, test } from 'vitest';
import { assert } from '../base/assert.js';
import { ERRNO } from '../base/errno.js';
import { mapMemory } from './aligned-memory.js';
import { ioUringEnter } from './ffi.js';
import { type CompletionHandler, Ring } from './io-uring.js';
import { describeUring } from './testing/uring-available.js';
import { ENTER, OP } from './uring-abi.js';
import { createWakeUp, wake } from './wake-up.js';

/** Counts completions per ticket. */
class Collector implements CompletionHandler {
  readonly results = new Map<number, number[]>();
  count = 0;

  ringCompletion(ticket: number, result: number): void {
    this.count += 1;
    this.results.set(ticket, [...(this.results.get(ticket) ?? []), result]);
  }
}

let ring: Ring;

function openRing(entries: number, completionEntries?: number): void {
  const opened = Ring.open(entries, completionEntries);
  assert(opened.ok, 'no ring');
  ring = opened.value;
}

function nop(kind: number, ticket: number): void {
  ring.submit(kind, ticket, OP.NOP, -1, 0, 0, 0, 0, 0, 0);
}

/** To enter the kernel with fewer entries than there are. */
function insides(): { fd: number; publish: () => void } {
  const parts = ring as unknown as { mapping: { fd: number }; publish: () => number };
  return { fd: parts.mapping.fd, publish: () => void parts.publish() };
}

function turnUntil(done: () => boolean): void {
  for (let turn = 0; turn < 10_000 && !done(); turn += 1) {
    ring.enter(1, 1000);
    ring.reap();
  }
}

describeUring('Ring', () => {
  beforeEach(() => openRing(64));
  afterEach(() => ring.close());

  test('completes every one of many NOPs exactly once, also past a full queue', () => {
    const collector = new Collector();
    const kind = ring.registerHandler(collector);
    for (let ticket = 0; ticket < 10_000; ticket += 1) nop(kind, ticket);
    expect(collector.count).toBe(0);
    turnUntil(() => collector.count >= 10_000);
    expect(collector.count).toBe(10_000);
    expect(collector.results.size).toBe(10_000);
    expect(ring.inFlightCount).toBe(0);
  });

  test('loses nothing when far more completes than the completion queue holds', () => {
    ring.close();
    openRing(8, 8);
    const collector = new Collector();
    const kind = ring.registerHandler(collector);
    for (let round = 0; round < 50; round += 1) {
      for (let index = 0; index < 100; index += 1) nop(kind, round * 100 + index);
      ring.enter(0, -1);
    }
    turnUntil(() => collector.count >= 5000);
    expect(collector.results.size).toBe(5000);
    expect(collector.count).toBe(5000);
  });

  test('hands each completion to the handler of its kind, with the whole u32 ticket', () => {
    const first = new Collector();
    const second = new Collector();
    const firstKind = ring.registerHandler(first);
    const secondKind = ring.registerHandler(second);
    nop(firstKind, 7);
    nop(secondKind, 0xffffffff);
    turnUntil(() => ring.inFlightCount === 0);
    expect([...first.results.keys()]).toEqual([7]);
    expect([...second.results.keys()]).toEqual([0xffffffff]);
  });

  test('submissions made by a handler go out with the next entry', () => {
    let left = 1000;
    const kind = ring.registerHandler({
      ringCompletion() {
        left -= 1;
        if (left > 0) nop(kind, left);
      },
    });
    nop(kind, left);
    turnUntil(() => left === 0);
    expect(left).toBe(0);
  });

  test('an entry with nothing to wait for ends by its time-out', () => {
    const collector = new Collector();
    ring.registerHandler(collector);
    const startMs = performance.now();
    ring.enter(1, 30);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(29);
    expect(ring.reap()).toBe(0);
  });

  test('an error of one operation is its result, and the others go on', () => {
    const collector = new Collector();
    const kind = ring.registerHandler(collector);
    nop(kind, 1);
    ring.submit(kind, 2, OP.READ, -1, 0, 0, 0, 0, 0, 0);
    nop(kind, 3);
    turnUntil(() => ring.inFlightCount === 0);
    expect(collector.results.get(1)).toEqual([0]);
    expect(collector.results.get(2)).toEqual([-9]);
    expect(collector.results.get(3)).toEqual([0]);
  });

  test('looking without waiting finds what the kernel finished after the submission', () => {
    const wakeUp = createWakeUp();
    const memory = mapMemory(8);
    const collector = new Collector();
    const kind = ring.registerHandler(collector);
    ring.submit(kind, 1, OP.READ, wakeUp.fd, memory.address, 8, -1, 0, 0, 0);
    ring.enter(0, -1);
    expect(ring.reap()).toBe(0);
    wake(wakeUp.fd);
    for (let look = 0; look < 1000 && collector.count === 0; look += 1) {
      ring.enter(0, -1);
      ring.reap();
    }
    expect(collector.results.get(1)).toEqual([8]);
    wakeUp.close();
    memory.unmap();
  });

  test('a released kind is given out again', () => {
    const kind = ring.registerHandler(new Collector());
    ring.registerHandler(new Collector());
    ring.releaseHandler(kind);
    expect(ring.registerHandler(new Collector())).toBe(kind);
  });

  test('completions that had to be taken off the queue inside a submission come with the next reaping', () => {
    const collector = new Collector();
    const kind = ring.registerHandler(collector);
    for (let ticket = 0; ticket < 50; ticket += 1) nop(kind, ticket);
    ring.enter(50, 1000);
    // Only older kernels refuse submissions while completions pile up, so this is called by hand.
    (ring as unknown as { stashCompletions(): void }).stashCompletions();
    expect(collector.count).toBe(0);
    for (let ticket = 50; ticket < 60; ticket += 1) nop(kind, ticket);
    turnUntil(() => collector.count >= 60);
    expect([...collector.results.keys()]).toEqual(Array.from({ length: 60 }, (_, ticket) => ticket));
    expect(ring.inFlightCount).toBe(0);
  });

  test('has one entry wait for another, if they are the last two', () => {
    const collector = new Collector();
    const kind = ring.registerHandler(collector);
    const mark = ring.queuedTotal;
    nop(kind, 1);
    expect(ring.linkLast(mark - 1)).toBe(false);
    expect(ring.linkLast(mark)).toBe(true);
    nop(kind, 2);
    nop(kind, 3);
    turnUntil(() => collector.count === 3);
    expect([...collector.results]).toEqual(expect.arrayContaining([[2, [0]]]));
    const failing = ring.queuedTotal;
    ring.submit(kind, 4, OP.READ, -1, 0, 0, 0, 0, 0, 0);
    expect(ring.linkLast(failing)).toBe(true);
    nop(kind, 5);
    turnUntil(() => collector.count === 5);
    expect(collector.results.get(4)).toEqual([-ERRNO.EBADF]);
    expect(collector.results.get(5)).toEqual([-ERRNO.ECANCELED]);
  });

  test('does not link where the next entry would go to the kernel alone', () => {
    const collector = new Collector();
    const kind = ring.registerHandler(collector);
    for (let ticket = 0; ticket < 63; ticket += 1) nop(kind, ticket);
    const mark = ring.queuedTotal;
    nop(kind, 63);
    expect(ring.linkLast(mark)).toBe(false);
    turnUntil(() => collector.count === 64);
  });

  test('fails an entry that was to wait, if the kernel took the one before it alone', () => {
    const collector = new Collector();
    const kind = ring.registerHandler(collector);
    const mark = ring.queuedTotal;
    nop(kind, 1);
    ring.linkLast(mark);
    nop(kind, 2);
    const { fd, publish } = insides();
    publish();
    expect(ioUringEnter(fd, 1, 0, ENTER.GETEVENTS, 0, 0)).toBe(1);
    turnUntil(() => collector.count === 2);
    expect([...collector.results.keys()].sort()).toEqual([1, 2]);
    expect(collector.results.get(2)).toEqual([-ERRNO.EINVAL]);
  });
});
