import { describe, expect, it } from 'vitest';
import { ERRNO } from '../base/errno.js';
import { Counter } from '../engine/counters.js';
import type { WriteZeroesFlags } from '../ports/served-device.js';
import { WriteZeroesFlag } from '../ports/served-device.js';
import { QUEUE_SLOT_COUNT, SLOT_COUNT } from './limits.js';
import type { DeviceOnMemory, OpenOptions, OpenQueue } from './testing/device-on-memory.js';
import {
  numberedDevice,
  original,
  times,
  touchesBlocks,
  touchesMetadata,
} from './testing/numbered-device.js';
import { TestClient } from './testing/test-client.js';

/** Blocks 80 to 87 can't be written or read, 160 to 167 can't be read. */
const FAULTS = `
main:
  - { sectors: "80-87", on: [read, write, writeZeroes], error: ENODATA }
  - { sectors: "160-167", on: [read], error: ENODATA }
`;

interface Bench {
  readonly rig: DeviceOnMemory;
  /** Of the owner. */
  readonly client: TestClient;
  readonly open: OpenQueue;
  /** Of the queue. */
  readonly far: TestClient;
}

function bench(options: OpenOptions & { faults?: string; spareBytes?: number[] } = {}): Bench {
  const { faults = FAULTS, spareBytes = [4 << 20], ...openOptions } = options;
  const { rig, client } = numberedDevice({ faults, spareBytes });
  rig.open(openOptions);
  const open = rig.addQueue();
  return { rig, client, open, far: new TestClient(rig, open) };
}

function ownerCount(rig: DeviceOnMemory, index: number): number {
  return rig.device!.context.counters[index]!;
}

describe('a queue of a device on a thread of its own', () => {
  it('reads and writes healthy units without waking the owner', () => {
    const { rig, client, far } = bench();
    expect(far.write(8, 4, 1234)).toBe(0);
    expect(far.read(6, 8)).toEqual([7, 8, ...times(4, 1234), 13, 14]);
    expect(far.write(9, 1, 77, true)).toBe(0);
    expect(rig.ownerWakeCount).toBe(0);
    expect(client.read(8, 2)).toEqual([1234, 77]);
  });

  it('hands a write that failed to the owner, and reads and writes the moved unit by itself afterwards', () => {
    const { rig, client, far } = bench();
    expect(far.write(80, 8, 500)).toBe(0);
    expect(rig.events.map(({ kind }) => kind)).toContain('remapped');
    const { ownerWakeCount } = rig;
    expect(far.write(78, 6, 600)).toBe(0);
    expect(far.read(78, 6)).toEqual(times(6, 600));
    expect(rig.ownerWakeCount).toBe(ownerWakeCount);
    expect(rig.disks[0]!.contents[80 * 512 + 4]).toBe(81);
    expect(client.read(78, 6)).toEqual(times(6, 600));
  });

  it('does not repeat an I/O that failed before the owner takes over', () => {
    const { rig, far } = bench();
    const triesOf = (kind: string): number => {
      let tries = 0;
      rig.stores[0]!.judge = (io) => {
        if (io.kind === kind && io.lengthBytes === 4096 && touchesBlocks(io, 80, 8)) tries += 1;
        return 0;
      };
      expect(far.write(80, 8, 9)).toBe(0);
      return tries;
    };
    // Once by the queue, then by the cold path with its one retry.
    expect(triesOf('write')).toBe(3);
  });

  it('answers a lost block with EIO by itself, and only that block', () => {
    const { rig, far } = bench();
    expect(far.read(160, 8)).toBe(ERRNO.EIO);
    const { ownerWakeCount } = rig;
    expect(far.read(163, 1)).toBe(ERRNO.EIO);
    expect(far.read(152, 8)).toEqual(original(152, 8));
    expect(rig.ownerWakeCount).toBe(ownerWakeCount);
    expect(far.write(163, 1, 42)).toBe(0);
    expect(far.read(163, 1)).toEqual([42]);
    expect(far.read(164, 1)).toBe(ERRNO.EIO);
  });

  it('reads lost blocks as zeroes where that is wanted', () => {
    const { far, open, rig } = bench({ lostReadsAsZero: true });
    expect(far.read(159, 2)).toEqual([160, 0]);
    expect(far.read(160, 8)).toEqual(times(8, 0));
    expect(ownerCount(rig, Counter.lostBlocksZeroFilled)).toBeGreaterThanOrEqual(9);
    expect(open.link.memory.counters[Counter.lostBlocksZeroFilled]).toBe(0);
  });

  it('lets the owner flush, discard and zero', () => {
    const { rig, far } = bench();
    const { counts } = rig.stores[0]!;
    const flushesBefore = counts.flush;
    expect(far.flush()).toBe(0);
    expect(counts.flush).toBe(flushesBefore + 1);
    expect(far.zero(8, 8)).toBe(0);
    expect(far.read(7, 10)).toEqual([8, ...times(8, 0), 17]);
    expect(far.zero(80, 8, WriteZeroesFlag.mayUnmap)).toBe(0);
    expect(far.read(80, 8)).toEqual(times(8, 0));
    expect(far.discard(8, 8)).toBe(0);
    expect(counts.discard).toBe(1);
  });

  it('flushes a spare that only the queue has written to', () => {
    const { rig, client, far } = bench();
    expect(far.write(80, 8, 500)).toBe(0);
    expect(client.flush()).toBe(0);
    const before = rig.stores[1]!.counts.flush;
    expect(client.flush()).toBe(0);
    expect(rig.stores[1]!.counts.flush).toBe(before);
    expect(far.write(80, 8, 501)).toBe(0);
    expect(client.flush()).toBe(0);
    expect(rig.stores[1]!.counts.flush).toBe(before + 1);
  });

  it('says that a spare took a write before it acknowledges that', () => {
    const { rig, far, open } = bench();
    expect(far.write(80, 8, 500)).toBe(0);
    expect(far.flush()).toBe(0);
    const { isDirty } = rig.device!.context;
    expect(isDirty(1)).toBe(false);
    const seen: boolean[] = [];
    const slot = open.queue.acquire({ completed: () => seen.push(isDirty(1)) });
    open.queue.write(slot, 80 * 512, 4096, rig.payloadOffset, false);
    rig.scheduler.advance(0);
    expect(seen).toEqual([true]);
  });

  it('leaves a write to the owner where a descriptor may be on disk that was given up', () => {
    const { rig, far } = bench();
    const { superblock } = rig.device!.metadata;
    rig.stores[1]!.judge = (io) =>
      io.kind === 'write' && touchesMetadata(io, superblock, 1) ? ERRNO.EIO : 0;
    expect(far.write(80, 8, 500)).toBe(ERRNO.EIO);
    expect(rig.events.map(({ kind }) => kind)).toContain('commitFailed');
    rig.stores[1]!.judge = () => 0;
    const { ownerWakeCount } = rig;
    expect(far.read(96, 8)).toEqual(original(96, 8));
    expect(rig.ownerWakeCount).toBe(ownerWakeCount);
    expect(far.write(96, 8, 600)).toBe(0);
    expect(rig.ownerWakeCount).toBe(ownerWakeCount + 1);
  });

  it('counts a request where it arrives, and an error where it is met; sums hold each once', () => {
    const { rig, open, far } = bench();
    const { counters } = open.link.memory;
    far.write(80, 8, 500);
    far.read(80, 8);
    far.flush();
    far.discard(0, 8);
    const flags: WriteZeroesFlags = WriteZeroesFlag.none;
    far.zero(0, 8, flags);
    const requests = ['reads', 'writes', 'flushes', 'discards', 'writeZeroes'] as const;
    for (const name of requests) {
      expect(counters[Counter[name]], name).toBe(1);
      expect(ownerCount(rig, Counter[name]), name).toBe(0);
      expect(rig.device!.context.totalCounters()[Counter[name]], name).toBe(1);
    }
    expect(counters[Counter.writtenBytes]).toBe(4096);
    expect(ownerCount(rig, Counter.writtenBytes)).toBe(0);
    expect(counters[Counter.mainWriteErrors]).toBe(1);
    expect(ownerCount(rig, Counter.mainWriteErrors)).toBe(2);
    expect(ownerCount(rig, Counter.remapsOfWrites)).toBe(1);
  });

  it('leaves its counts to the owner when it ends, and they are in the superblock', () => {
    const { rig, far, open } = bench();
    far.write(0, 8, 500);
    rig.close();
    expect(open.link.memory.counters[Counter.writes]).toBe(1);
    const saved = rig.assemble();
    expect(saved.ok && saved.value.counters[Counter.writes]).toBe(1);
  });

  it('knows of failed flushes, whoever asked for them', () => {
    const { rig, client, far, open } = bench();
    rig.stores[0]!.judge = ({ kind }) => (kind === 'flush' ? ERRNO.EIO : 0);
    expect(client.flush()).toBe(ERRNO.EIO);
    expect(far.flush()).toBe(ERRNO.EIO);
    expect(open.queue.flushFailureCount).toBe(2);
    expect(rig.device!.flushFailureCount).toBe(2);
  });

  it('leaves everything to the owner while the main device is given up, and sees that it is back', () => {
    const { rig, far } = bench();
    rig.stores[0]!.judge = () => ERRNO.ENODEV;
    expect(far.write(8, 8, 500)).toBe(ERRNO.EIO);
    expect(rig.device!.context.breaker.isOpen).toBe(true);
    const { read } = rig.stores[0]!.counts;
    rig.stores[0]!.judge = () => 0;
    expect(far.read(8, 1)).toBe(ERRNO.EIO);
    expect(rig.stores[0]!.counts.read).toBe(read);
    rig.scheduler.advance(5000);
    far.read(8, 1);
    rig.scheduler.advance(5000);
    expect(far.read(8, 1)).toEqual([9]);
  });

  it('ends a row of failures with a success of its own', () => {
    const { rig, far } = bench();
    const { breaker } = rig.device!.context;
    for (let count = 0; count < 100; count += 1) {
      breaker.needsProof(false, 'write');
      breaker.needsProof(false, 'read');
    }
    expect(far.write(8, 8, 500)).toBe(0);
    expect([breaker.isWave('write'), breaker.isWave('read')]).toEqual([false, true]);
    far.read(8, 8);
    expect(breaker.isWave('read')).toBe(false);
  });

  it('waits for a slot of the owner as long as all are taken', () => {
    const { rig, far } = bench();
    const device = rig.device!;
    const taken = Array.from({ length: SLOT_COUNT }, () => device.acquire({ completed: () => {} }));
    const flush = far.beginFlush();
    rig.scheduler.advance(1000);
    expect(flush.errno).toBeUndefined();
    device.read(taken.pop()!, 0, 512, rig.payloadOffset);
    rig.scheduler.advance(0);
    expect(flush.errno).toBe(0);
  });

  it('has the owner run a request for which it has too few runs left', () => {
    const { rig, far } = bench({ faults: 'main: []', spareBytes: [64 << 20] });
    const odd = (offsetBytes: number): boolean => (offsetBytes / 4096) % 2 === 1;
    rig.stores[0]!.judge = (io) => (io.kind === 'write' && odd(io.offsetBytes) ? ERRNO.ENODATA : 0);
    for (let unit = 1; unit < 512; unit += 2) expect(far.write(unit * 8, 8, 7000 + unit)).toBe(0);
    rig.stores[0]!.judge = () => 0;
    const { ownerWakeCount } = rig;
    const reads = Array.from({ length: 5 }, (_, index) => far.beginRead((index % 2) * 2048, 2048, index % 4));
    rig.scheduler.advance(0);
    expect(reads.map(({ errno }) => errno)).toEqual(times(5, 0));
    expect(rig.ownerWakeCount).toBeGreaterThan(ownerWakeCount);
    expect([far.contentsAt(3, 0), far.contentsAt(3, 8)]).toEqual([2049, 7257]);
  });

  it('wakes the owner once for all that it forwards while that one sleeps', () => {
    const { rig, far } = bench();
    const flushes = Array.from({ length: 20 }, () => far.beginFlush());
    rig.scheduler.advance(0);
    expect(flushes.every(({ errno }) => errno === 0)).toBe(true);
    expect(rig.ownerWakeCount).toBe(1);
  });

  it('hands out all its slots and no more, and is idle only without requests', () => {
    const { rig, open } = bench();
    const { queue } = open;
    const sink = { completed: () => {} };
    const slots = Array.from({ length: QUEUE_SLOT_COUNT }, () => queue.acquire(sink));
    expect(queue.acquire(sink)).toBe(-1);
    for (const slot of slots.slice(1)) queue.release(slot);
    queue.flush(slots[0]!);
    expect([queue.isIdle, rig.device!.isIdle]).toEqual([false, false]);
    expect(() => rig.device!.removeQueue(open.link)).toThrow('ends idle');
    rig.scheduler.advance(0);
    expect(queue.isIdle).toBe(true);
    rig.device!.removeQueue(open.link);
    expect(rig.device!.queueCount).toBe(0);
  });

  it('keeps the device from being idle as long as it has I/O of its own in flight', () => {
    const { rig, far, open } = bench({ faults: 'main:\n  - { sectors: "8-15", on: [write], delayMs: 50 }' });
    const request = far.beginWrite(8, 4, 1234);
    rig.scheduler.advance(10);
    expect([open.queue.isIdle, rig.device!.isIdle]).toEqual([false, false]);
    rig.scheduler.advance(50);
    expect(request.errno).toBe(0);
    expect([open.queue.isIdle, rig.device!.isIdle]).toEqual([true, true]);
  });

  it('describes runs as the owner does', () => {
    const { rig, far, open } = bench();
    far.write(80, 8, 500);
    far.read(160, 8);
    for (const block of [0, 80, 88, 160, 168]) {
      const near = { lengthBytes: 0, state: 0 };
      const same = { lengthBytes: 0, state: 0 };
      rig.device!.describeRun(block * 512, 1 << 20, near);
      open.queue.describeRun(block * 512, 1 << 20, same);
      expect(same).toEqual(near);
    }
  });
});
