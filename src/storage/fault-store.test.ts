import { describe, expect, it, vi } from 'vitest';
import { blockStoreConformance } from '../../test/conformance/block-store.js';
import { MEMORY_BYTES_MIN, STORE_BYTES_MIN } from '../../test/conformance/store-under-test.js';
import { ManualScheduler } from '../../test/support/manual-scheduler.js';
import { ERRNO } from '../base/errno.js';
import { plainMemory } from '../ports/io-memory.js';
import type { FaultRule } from './fault-rule.js';
import { parseFaultScenario } from './fault-scenario.js';
import { FaultStore } from './fault-store.js';
import { MemoryStore } from './memory-store.js';

const DISK_BYTES = 1 << 20;

describe.each([
  ['no rules', ''],
  [
    'rules that never match',
    '  - { sectors: "9999999", error: EIO }\n  - { afterOps: 1000000, error: ENODEV }',
  ],
  ['delays', '  - { on: [read, write, flush, discard, writeZeroes], delayMs: 3 }'],
])('with %s', (_what, rules) => {
  blockStoreConformance('FaultStore', () => {
    const scheduler = new ManualScheduler();
    const memory = plainMemory(MEMORY_BYTES_MIN);
    const disk = new MemoryStore({ sizeBytes: STORE_BYTES_MIN, memory, scheduler });
    const store = new FaultStore(disk, rulesOf(rules), { scheduler, memory });
    return { store, memory, runUntil: (done) => scheduler.runUntil(done), dispose: () => store.close() };
  });
});

/** The rules of the main device in a scenario. */
function rulesOf(rules: string): readonly FaultRule[] {
  const scenario = parseFaultScenario(rules === '' ? '' : `main:\n${rules}`, 'test');
  if (!scenario.ok) throw new Error(JSON.stringify(scenario.error));
  return scenario.value.main;
}

function makeStore(rules: string, logicalBlockBytes = 512) {
  const scheduler = new ManualScheduler();
  const memory = plainMemory(256 << 10);
  const disk = new MemoryStore({ sizeBytes: DISK_BYTES, memory, scheduler, logicalBlockBytes });
  const store = new FaultStore(disk, rulesOf(rules), { scheduler, memory });
  const results = new Map<number, number>();
  store.attach({
    complete: (ticket, result) => {
      expect(results.has(ticket), 'one completion per ticket').toBe(false);
      results.set(ticket, result);
    },
  });
  let nextTicket = 0;
  /** Runs one operation to its end and says how it ended. */
  const run = (start: (ticket: number) => void): number | undefined => {
    const ticket = nextTicket;
    nextTicket += 1;
    start(ticket);
    expect(results.has(ticket), 'no completion inside the call').toBe(false);
    scheduler.advance();
    return results.get(ticket);
  };
  const read = (sector: number, count = 1) =>
    run((ticket) => store.read(ticket, sector * 512, count * 512, 0));
  const write = (sector: number, count = 1) =>
    run((ticket) => store.write(ticket, sector * 512, count * 512, 0, false));
  const zero = (sector: number, count = 1) =>
    run((ticket) => store.writeZeroes(ticket, sector * 512, count * 512, true));
  const discard = (sector: number, count = 1) =>
    run((ticket) => store.discard(ticket, sector * 512, count * 512));
  const flush = () => run((ticket) => store.flush(ticket));
  return { scheduler, memory, disk, store, results, read, write, zero, discard, flush };
}

describe('FaultStore', () => {
  it('begins no part of a write that is to fail within the call, or an answer could be linked to that part', () => {
    const { disk, store, scheduler, results } = makeStore(
      '  - { sectors: "8", on: [write], error: ENODATA }',
    );
    const begun = vi.spyOn(disk, 'write');
    store.write(0, 0, 4096, 0, false);
    expect(begun).toHaveBeenCalledTimes(1);
    store.write(1, 2048, 4096, 0, false);
    expect(begun).toHaveBeenCalledTimes(1);
    scheduler.advance();
    expect(begun).toHaveBeenLastCalledWith(1, 2048, 2048, 0, false);
    expect([...results.values()]).toEqual([4096, -ERRNO.ENODATA]);
  });

  it('fails what touches a bad sector, whole, and nothing else', () => {
    const { read, write, zero, flush } = makeStore('  - { sectors: "100-101,200", error: ENODATA }');
    expect(read(99)).toBe(512);
    expect(read(102, 98)).toBe(98 * 512);
    expect(read(100)).toBe(-ERRNO.ENODATA);
    expect(read(96, 8)).toBe(-ERRNO.ENODATA);
    expect(write(101, 2)).toBe(-ERRNO.ENODATA);
    expect(write(193, 8)).toBe(-ERRNO.ENODATA);
    expect(write(201, 8)).toBe(8 * 512);
    expect(zero(100)).toBe(-ERRNO.ENODATA);
    expect(flush()).toBe(0);
  });

  it('leaves garbage in the buffer of a failed read, only there', () => {
    const { memory, read } = makeStore('  - { sectors: "7", on: [read], error: EIO }');
    expect(read(0, 8)).toBe(-ERRNO.EIO);
    expect(memory.bytes.subarray(0, 4096).every((byte) => byte === 0xde)).toBe(true);
    expect(memory.bytes[4096]).toBe(0);
  });

  it('writes what lies before the first bad sector, and not a byte more', () => {
    const { memory, disk, write } = makeStore('  - { sectors: "13", on: [write], error: EIO }');
    memory.bytes.fill(5);
    expect(write(10, 8)).toBe(-ERRNO.EIO);
    expect(disk.contents.subarray(10 * 512, 13 * 512).every((byte) => byte === 5)).toBe(true);
    expect(disk.contents.subarray(13 * 512).every((byte) => byte === 0)).toBe(true);
  });

  it('zeroes what lies before the first bad sector', () => {
    const { disk, zero } = makeStore('  - { sectors: "13", on: [writeZeroes], error: EIO }');
    disk.contents.fill(5);
    expect(zero(10, 8)).toBe(-ERRNO.EIO);
    expect(disk.contents.subarray(10 * 512, 13 * 512).every((byte) => byte === 0)).toBe(true);
    expect(disk.contents.subarray(13 * 512).every((byte) => byte === 5)).toBe(true);
  });

  it('writes only whole logical blocks before a bad sector inside one', () => {
    const { memory, disk, write } = makeStore('  - { sectors: "13", on: [write], error: EIO }', 4096);
    memory.bytes.fill(5);
    expect(write(0, 16)).toBe(-ERRNO.EIO);
    expect(disk.contents.subarray(0, 8 * 512).every((byte) => byte === 5)).toBe(true);
    expect(disk.contents.subarray(8 * 512).every((byte) => byte === 0)).toBe(true);
  });

  it('discards nothing when a discard fails', () => {
    const { disk, discard } = makeStore('  - { sectors: "13", on: [discard], error: EIO }');
    disk.contents.fill(5);
    expect(discard(10, 8)).toBe(-ERRNO.EIO);
    expect(disk.contents.every((byte) => byte === 5)).toBe(true);
    expect(discard(0, 8)).toBe(0);
  });

  it('heals the sectors that a write covers, only after it succeeded, and no others', () => {
    const { read, write, store, scheduler } = makeStore(
      '  - { sectors: "50-57", on: [read], error: ENODATA, healsOnWrite: true }',
    );
    expect(read(50, 8)).toBe(-ERRNO.ENODATA);
    store.write(1000, 52 * 512, 512, 0, false);
    store.read(1001, 52 * 512, 512, 0);
    scheduler.advance();
    expect(read(52)).toBe(512);
    expect(read(51)).toBe(-ERRNO.ENODATA);
    expect(read(53)).toBe(-ERRNO.ENODATA);
    expect(write(40, 20)).toBe(20 * 512);
    expect(read(40, 20)).toBe(20 * 512);
  });

  it('heals by writeZeroes too, but not by discard', () => {
    const { read, zero, discard } = makeStore(
      '  - { sectors: "50-51", on: [read], error: ENODATA, healsOnWrite: true }',
    );
    expect(discard(50)).toBe(0);
    expect(read(50)).toBe(-ERRNO.ENODATA);
    expect(zero(50)).toBe(0);
    expect(read(50)).toBe(512);
    expect(read(51)).toBe(-ERRNO.ENODATA);
  });

  it('heals what a failing write got done, and keeps the rest bad', () => {
    const { read, write } = makeStore(
      '  - { sectors: "50-53", on: [read], error: ENODATA, healsOnWrite: true }\n' +
        '  - { sectors: "52", on: [write], error: EIO }',
    );
    expect(write(50, 4)).toBe(-ERRNO.EIO);
    expect(read(50, 2)).toBe(2 * 512);
    expect(read(52)).toBe(-ERRNO.ENODATA);
    expect(read(53)).toBe(-ERRNO.ENODATA);
  });

  it('is used up after so many hits', () => {
    const { read } = makeStore('  - { sectors: "9", on: [read], error: EIO, times: 2 }');
    expect(read(8)).toBe(512);
    expect(read(9)).toBe(-ERRNO.EIO);
    expect(read(0, 16)).toBe(-ERRNO.EIO);
    expect(read(9)).toBe(512);
  });

  it('begins after so many operations of any kind', () => {
    const { read, write, flush, discard } = makeStore(
      '  - { afterOps: 3, on: [read, write, flush], error: ENODEV }',
    );
    expect([read(0), flush(), discard(0)]).toEqual([512, 0, 0]);
    expect([read(0), write(0), flush()]).toEqual([-ERRNO.ENODEV, -ERRNO.ENODEV, -ERRNO.ENODEV]);
    expect(discard(0)).toBe(0);
  });

  it('reports the error of the first bad sector, of the earlier rule where two agree', () => {
    const { read } = makeStore(
      '  - { sectors: "30", error: EIO }\n  - { sectors: "20,30", error: ENODATA }\n  - { sectors: "10", delayMs: 1 }',
    );
    expect(read(20, 16)).toBe(-ERRNO.ENODATA);
    expect(read(30)).toBe(-ERRNO.EIO);
  });

  it('delays what is slow and then does it', () => {
    const { scheduler, store, results, disk, memory } = makeStore('  - { sectors: "40", delayMs: 300 }');
    memory.bytes.fill(6);
    store.write(500, 40 * 512, 512, 0, false);
    scheduler.advance(299);
    expect(results.has(500)).toBe(false);
    expect(disk.contents[40 * 512]).toBe(0);
    expect(() => store.close()).toThrow();
    scheduler.advance(1);
    expect(results.get(500)).toBe(512);
    expect(disk.contents[40 * 512]).toBe(6);
    store.close();
  });

  it('fails after the delay where a rule has both, and takes the longest delay', () => {
    const { scheduler, store, results } = makeStore(
      '  - { on: [flush], error: EIO, delayMs: 50 }\n  - { on: [flush], delayMs: 80 }',
    );
    store.flush(1);
    scheduler.advance(79);
    expect(results.has(1)).toBe(false);
    scheduler.advance(1);
    expect(results.get(1)).toBe(-ERRNO.EIO);
  });

  it('keeps operations apart that are in flight together', () => {
    const { scheduler, store, results } = makeStore(
      '  - { sectors: "4", on: [write], error: EIO }\n  - { sectors: "9", on: [read], delayMs: 5, error: ENODATA }',
    );
    store.write(1, 0, 4096, 0, true);
    store.write(2, 4096, 4096, 0, true);
    store.read(3, 9 * 512, 512, 8192);
    store.read(4, 10 * 512, 512, 8192);
    scheduler.advance(5);
    expect([...results].sort()).toEqual([
      [1, -ERRNO.EIO],
      [2, 4096],
      [3, -ERRNO.ENODATA],
      [4, 512],
    ]);
  });

  it('passes geometry, description and runs on', () => {
    const { store, disk } = makeStore('  - { error: EIO }');
    expect(store.geometry).toBe(disk.geometry);
    expect(store.description).toContain('memory');
    expect(store.allocatedRun(0, 4096)).toBe(4096);
  });
});
