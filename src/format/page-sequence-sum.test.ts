import { expect, it } from 'vitest';
import { DESCRIPTORS_PER_PAGE } from './layout.js';
import { pageSequenceSum } from './page-sequence-sum.js';

/** The second spare begins with page 2. */
const spares = [0, 2].map((firstPage, index) => ({
  uuid: new Uint8Array(16),
  sizeBytes: 1 << 20,
  firstUnit: firstPage * DESCRIPTORS_PER_PAGE,
  unitCount: 2 * DESCRIPTORS_PER_PAGE,
  initialisedPageCount: 2 - index,
}));

it('counts what was written of each spare, and nothing else', () => {
  expect(pageSequenceSum(spares, [3, 4, 10, 99])).toBe(1 + 3 + 4 + 10);
});

it('is never "not recorded", and stays exact with the highest sequences', () => {
  expect(pageSequenceSum([], [])).toBe(1);
  const highest = 2 ** 52;
  expect(pageSequenceSum(spares, [highest, highest - 1, 7])).toBe(1 + ((2 ** 32 - 1 + 7) % 2 ** 32));
});
