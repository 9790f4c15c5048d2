import { expect, test } from 'vitest';
import { DiskCache } from './disk-cache.js';
import { Random } from './random.js';

test('a flush makes durable a write that was answered before it, though another went over it in flight', () => {
  for (let seed = 0; seed < 64; seed += 1) {
    const contents = new Uint8Array(BLOCK_BYTES);
    const cache = new DiskCache(contents, new Uint8Array(BLOCK_BYTES), BLOCK_BYTES, new Random(seed));
    const write = (serial: number): void => {
      cache.beforeWrite(0, serial);
      contents.fill(serial);
    };
    write(1);
    write(2);
    cache.completed(0, 1, 1, 3, false);
    cache.flushStarted(4);
    cache.completed(0, 1, 2, 5, false);
    cache.flushed(4, false);
    cache.drop(0, () => {});
    expect([1, 2]).toContain(contents[0]);
  }
});

const BLOCK_BYTES = 512;
