import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { FIXED_YOUNG_GENERATION } from './touch-thread-memory.js';

test('a thread that was made so has a young generation that stays as small as it began', async () => {
  const worker = new Worker(YOUNG_SIZES, { eval: true, resourceLimits: FIXED_YOUNG_GENERATION });
  const [sizes] = (await once(worker, 'message')) as [number[]];
  await worker.terminate();
  expect(new Set(sizes)).toEqual(new Set([2 << 20]));
});

/** Before, and after much garbage of which much was alive at a time. */
const YOUNG_SIZES = `
const { getHeapSpaceStatistics } = require('node:v8');
const { parentPort } = require('node:worker_threads');
const size = () => getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size;
const before = size();
const kept = [];
for (let index = 0; index < 20_000; index += 1) kept[index % 500] = new Array(500).fill(index + 0.5);
parentPort.postMessage([before, size()]);
`;
