import { describe, expect, it } from 'vitest';
import { DiskCache } from './disk-cache.js';
import { Random } from './random.js';

/** Of one block; `write` puts a value into it by the I/O of that number. */
function oneBlock(seed: number) {
  const contents = new Uint8Array(512);
  const cache = new DiskCache(contents, new Uint8Array(512), 512, new Random(seed));
  const write = (serial: number): void => {
    cache.beforeWrite(0, serial);
    contents.fill(serial);
  };
  return { contents, cache, write };
}

describe('the volatile cache of a simulated disk', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('keeps what was completed before a flush began (seed %i)', (seed) => {
    const { contents, cache, write } = oneBlock(seed);
    write(1);
    write(2);
    // The first is answered although the second, which is not, has gone over it.
    cache.completed(0, 1, 1, 10, false);
    cache.flushStarted(11);
    cache.flushed(11, false);
    cache.drop(0, () => {});
    expect(contents[0]).toBeGreaterThan(0);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('keeps what was written with FUA (seed %i)', (seed) => {
    const { contents, cache, write } = oneBlock(seed);
    write(1);
    write(2);
    cache.completed(0, 1, 1, 10, true);
    cache.drop(0, () => {});
    expect(contents[0]).toBeGreaterThan(0);
  });

  it('goes on to show what it has dropped, flushes or not, until it forgets it or that is written again', () => {
    const { contents, cache, write } = oneBlock(1);
    const reverted: number[] = [];
    const dropAll = (): void =>
      cache.drop(
        0,
        (block) => reverted.push(block),
        () => true,
      );
    write(1);
    cache.completed(0, 1, 1, 10, false);
    dropAll();
    cache.flushStarted(11);
    cache.flushed(11, false);
    expect([contents[0], reverted, cache.phantomsIn(0, 1), cache.isAhead(0)]).toEqual([1, [0], [0], true]);
    cache.forgetPhantom(0);
    expect([contents[0], cache.phantomsIn(0, 1), cache.isAhead(0)]).toEqual([0, [], false]);
    write(2);
    cache.completed(0, 1, 2, 20, false);
    dropAll();
    write(3);
    cache.completed(0, 1, 3, 30, false);
    cache.flushStarted(31);
    cache.flushed(31, false);
    cache.drop(0, () => {});
    cache.forgetPhantoms(() => {});
    expect([contents[0], cache.isAhead(0)]).toEqual([3, false]);
  });

  it('may lose what no flush has covered', () => {
    const { contents, cache, write } = oneBlock(1);
    write(1);
    cache.completed(0, 1, 1, 10, false);
    cache.drop(0, () => {});
    expect(contents[0]).toBe(0);
  });
});
