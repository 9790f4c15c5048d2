import { describe, expect, it } from 'vitest';
import { type Geometry, NO_IDENTITY, PLAIN_QUEUE } from '../ports/block-store.js';
import { misfit } from './misfit.js';

const GEOMETRY: Geometry = {
  sizeBytes: 1 << 20,
  logicalBlockBytes: 512,
  physicalBlockBytes: 4096,
  memoryAlignmentBytes: 512,
  rotational: false,
  readOnly: false,
  queue: PLAIN_QUEUE,
  identity: NO_IDENTITY,
};
const WRITE_THROUGH = { queue: { ...PLAIN_QUEUE, volatileCache: false } };

function misfitOf(was: Partial<Geometry>, is: Partial<Geometry>): string | undefined {
  const device = (facts: Partial<Geometry>) =>
    ({ kind: 'blockDevice', geometry: { ...GEOMETRY, ...facts } }) as const;
  return misfit(device(was), device(is));
}

describe('a device that turns up for one that is gone', () => {
  it.each([
    ['just like it', {}, {}],
    ['that can do with less alignment', {}, { memoryAlignmentBytes: 4 }],
    ['whose write cache is off now', {}, WRITE_THROUGH],
    ['whose write cache is off, as before', WRITE_THROUGH, WRITE_THROUGH],
  ])('fits: one %s', (_name, was, is) => {
    expect(misfitOf(was, is)).toBeUndefined();
  });

  it.each([
    ['of another size', {}, { sizeBytes: 2 << 20 }, /size is 2097152 bytes, not 1048576/],
    ['with other blocks', {}, { logicalBlockBytes: 4096 }, /logical block is 4096 bytes, not 512/],
    ['that needs more alignment', {}, { memoryAlignmentBytes: 4096 }, /aligned to 4096 bytes/],
    ['with a write cache, of which nobody was told', WRITE_THROUGH, {}, /write cache is on, and was off/],
  ])('is refused: one %s', (_name, was, is, reason) => {
    expect(misfitOf(was, is)).toMatch(reason);
  });
});
