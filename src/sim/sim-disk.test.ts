import { expect, test } from 'vitest';
import { plainMemory } from '../ports/io-memory.js';
import { Random } from './random.js';
import { SimClock } from './sim-clock.js';
import { SimDisk } from './sim-disk.js';

test('a flush after an outage makes durable what the cache took of a write that the outage cut off', () => {
  const outcomes = Array.from({ length: 64 }, (_, seed) => writeWhileItVanishes(seed));
  for (const { beforePowerCut, afterPowerCut } of outcomes) expect(afterPowerCut).toBe(beforePowerCut);
  // Both were tried: the cache has taken the write, and it has not.
  expect(new Set(outcomes.map(({ beforePowerCut }) => beforePowerCut))).toEqual(new Set([0, NEWER]));
});

/** What the first byte holds after the outage and the flush, and what it holds when the power has failed then. */
function writeWhileItVanishes(seed: number): {
  readonly beforePowerCut: number;
  readonly afterPowerCut: number;
} {
  const clock = new SimClock();
  const disk = diskOf(clock, seed);
  const results: number[] = [];
  const front = disk.open({ complete: (_ticket, result) => results.push(result) });
  const perform = (submit: () => void): void => {
    submit();
    while (clock.fireNext());
  };
  perform(() => {
    front.write(0, 0, BLOCK_BYTES, 0, false);
    disk.isGone = true;
  });
  disk.isGone = false;
  perform(() => front.flush(1));
  expect(results[0]).toBeLessThan(0);
  expect(results[1]).toBe(0);
  const beforePowerCut = disk.contents[0]!;
  disk.powerCut();
  return { beforePowerCut, afterPowerCut: disk.contents[0]! };
}

function diskOf(clock: SimClock, seed: number): SimDisk {
  const memory = plainMemory(BLOCK_BYTES);
  memory.bytes.fill(NEWER);
  return new SimDisk({
    id: 0,
    target: 0,
    sizeBytes: 8 * BLOCK_BYTES,
    blockBytes: BLOCK_BYTES,
    hasVolatileCache: true,
    canZero: false,
    hasNativeFua: true,
    hasPageCache: false,
    identity: { model: '', serial: '', wwn: '' },
    latencyUs: 20,
    stragglerOdds: 16,
    saysIo: false,
    memory,
    clock,
    random: new Random(seed),
    watcher: {
      answered() {},
      blockFailed() {},
      damaging() {},
      reverting() {},
      revertingLate() {},
      flushFailed() {},
      flushFailureHeard() {},
    },
    contents: new Uint8Array(8 * BLOCK_BYTES),
    stable: new Uint8Array(8 * BLOCK_BYTES),
    tearsInside: () => false,
  });
}

const BLOCK_BYTES = 512;
const NEWER = 7;
