import { describe, expect, it } from 'vitest';
import { blockStoreConformance } from '../../test/conformance/block-store.js';
import { MEMORY_BYTES_MIN, STORE_BYTES_MIN } from '../../test/conformance/store-under-test.js';
import { ManualScheduler } from '../../test/support/manual-scheduler.js';
import { plainMemory } from '../ports/io-memory.js';
import { MemoryStore } from './memory-store.js';

for (const logicalBlockBytes of [512, 4096]) {
  blockStoreConformance(`MemoryStore, ${logicalBlockBytes} byte blocks`, () => {
    const scheduler = new ManualScheduler();
    const memory = plainMemory(MEMORY_BYTES_MIN);
    const store = new MemoryStore({ sizeBytes: STORE_BYTES_MIN, memory, scheduler, logicalBlockBytes });
    return { store, memory, runUntil: (done) => scheduler.runUntil(done), dispose: () => store.close() };
  });
}

function makeStore() {
  const scheduler = new ManualScheduler();
  const memory = plainMemory(64 << 10);
  const store = new MemoryStore({ sizeBytes: 32 << 10, memory, scheduler });
  const results: [number, number][] = [];
  store.attach({ complete: (ticket, result) => results.push([ticket, result]) });
  return { scheduler, memory, store, results };
}

describe('MemoryStore', () => {
  it('reads back what was written, and nothing around it', () => {
    const { scheduler, memory, store, results } = makeStore();
    memory.bytes.fill(7, 0, 1024);
    store.write(1, 4096, 1024, 0, false);
    store.read(2, 3584, 2048, 8192);
    expect(results).toEqual([]);
    scheduler.advance();
    expect(results).toEqual([
      [1, 1024],
      [2, 2048],
    ]);
    const seen = memory.bytes.subarray(8192, 8192 + 2048);
    expect(seen.subarray(0, 512).every((byte) => byte === 0)).toBe(true);
    expect(seen.subarray(512, 1536).every((byte) => byte === 7)).toBe(true);
    expect(seen.subarray(1536).every((byte) => byte === 0)).toBe(true);
  });

  it('completes in order, more than fit at first, also when a completion submits more', () => {
    const { scheduler, memory } = makeStore();
    const store = new MemoryStore({ sizeBytes: 4096, memory, scheduler });
    const tickets: number[] = [];
    store.attach({
      complete: (ticket) => {
        tickets.push(ticket);
        if (ticket < 1000) store.flush(ticket + 1000);
      },
    });
    for (let ticket = 0; ticket < 1000; ticket += 1) store.flush(ticket);
    scheduler.advance();
    expect(tickets).toEqual(Array.from({ length: 2000 }, (_, index) => index));
  });

  it('zeroes on writeZeroes and leaves neither old data nor zeroes on discard', () => {
    const { scheduler, store, results } = makeStore();
    store.contents.fill(9);
    store.writeZeroes(1, 0, 512, true);
    store.discard(2, 512, 512);
    scheduler.advance();
    expect(results).toEqual([
      [1, 0],
      [2, 0],
    ]);
    expect(store.contents.subarray(0, 512).every((byte) => byte === 0)).toBe(true);
    expect(store.contents.subarray(512, 1024).some((byte) => byte === 0 || byte === 9)).toBe(false);
    expect(store.contents[1024]).toBe(9);
  });

  it('asserts what is outside, unaligned or after closing', () => {
    const { scheduler, store } = makeStore();
    expect(() => store.read(1, 32 << 10, 512, 0)).toThrow();
    expect(() => store.read(1, (32 << 10) - 512, 1024, 0)).toThrow();
    expect(() => store.read(1, 100, 512, 0)).toThrow();
    expect(() => store.read(1, 0, 100, 0)).toThrow();
    expect(() => store.read(1, 0, 0, 0)).toThrow();
    expect(() => store.write(1, 0, 512, 100, false)).toThrow();
    expect(() => store.write(1, 0, 1024, (64 << 10) - 512, false)).toThrow();
    store.flush(1);
    expect(() => store.close()).toThrow();
    scheduler.advance();
    store.close();
    expect(() => store.flush(2)).toThrow();
  });
});
