import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { xorshift } from '../../../support/xorshift.js';
import { VolatileCache } from './volatile-cache.js';

let directory: string;
let medium: number;
let current: number;
let cache: VolatileCache;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'volatile-cache-'));
  medium = openSync(join(directory, 'medium'), 'w+');
  current = openSync(join(directory, 'current'), 'w+');
  for (const fd of [medium, current]) ftruncateSync(fd, 1 << 20);
  cache = new VolatileCache(medium, current, 512);
});

afterEach(() => {
  closeSync(medium);
  closeSync(current);
  rmSync(directory, { recursive: true });
});

test('What was written is read back before it is on the medium', () => {
  cache.write(512, filled(512, 7), false);
  expect(cache.read(512, 512)).toEqual(filled(512, 7));
  expect(onMedium(512, 512)).toEqual(filled(512, 0));
});

test('What was flushed survives every power cut', () => {
  cache.write(0, filled(4096, 1), false);
  cache.flush();
  cache.powerLost(randomOf(1));
  expect(cache.read(0, 4096)).toEqual(filled(4096, 1));
});

test('What was written durably survives, also over an older write that was not flushed', () => {
  for (let seed = 1; seed < 50; seed++) {
    cache.write(0, filled(4096, 1), false);
    cache.write(1024, filled(512, 2), true);
    cache.powerLost(randomOf(seed));
    expect(cache.read(1024, 512)).toEqual(filled(512, 2));
  }
});

test('Of what was not flushed some is lost, some kept, some torn; reads show what is on the medium afterwards', () => {
  for (let write = 0; write < 100; write++) cache.write(write * 4096, filled(4096, 3), false);
  const loss = cache.powerLost(randomOf(5));
  for (const fate of ['lost', 'kept', 'torn'] as const) expect(loss[fate]).toBeGreaterThan(5);
  expect(loss.lost + loss.kept + loss.torn).toBe(100);
  expect(cache.read(0, 100 * 4096).equals(onMedium(0, 100 * 4096))).toBe(true);
  const blocksKept = [...Array(800).keys()].filter((block) => onMedium(block * 512, 1)[0] === 3).length;
  expect(blocksKept).toBeGreaterThan(8 * loss.kept);
  expect(blocksKept).toBeLessThan(8 * (loss.kept + loss.torn));
});

test('Writes may arrive in another order than they were made', () => {
  const survivors = new Set<number>();
  for (let seed = 1; seed < 100; seed++) {
    cache.write(0, filled(512, 0), true);
    cache.write(0, filled(512, 1), false);
    cache.write(0, filled(512, 2), false);
    cache.powerLost(randomOf(seed));
    survivors.add(cache.read(0, 1)[0]!);
  }
  expect(survivors).toEqual(new Set([0, 1, 2]));
});

function filled(lengthBytes: number, value: number): Buffer {
  return Buffer.alloc(lengthBytes, value);
}

function onMedium(offsetBytes: number, lengthBytes: number): Buffer {
  const data = Buffer.alloc(lengthBytes);
  readSync(medium, data, 0, lengthBytes, offsetBytes);
  return data;
}

function randomOf(seed: number): (limit: number) => number {
  const next = xorshift(seed * 7919);
  return (limit) => next() % limit;
}
