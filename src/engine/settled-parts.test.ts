import { describe, expect, it } from 'vitest';
import { MAX_PARTS } from '../format/copy-position.js';
import { samplesOf } from './compare-copy.js';
import { SettledParts } from './settled-parts.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const COPY_ID = new Uint8Array(16).fill(1);

function withSettled(mainSizeBytes: number, parts: readonly number[]): SettledParts {
  const settled = new SettledParts(mainSizeBytes, undefined);
  settled.settle(parts);
  return settled;
}

describe('the parts of a main device that is copied', () => {
  it.each([
    [1, MIB, 1],
    [8 * GIB, MIB, 8192],
    [8 * GIB + 512, 2 * MIB, 4097],
    [4 * 2 ** 40 + 4096, GIB, 4097],
    [2 ** 50, 2 ** 37, 8192],
  ])('of %i bytes have %i bytes, and are %i', (mainSizeBytes, partBytes, partCount) => {
    const parts = new SettledParts(mainSizeBytes, undefined);
    expect([parts.partBytes, parts.partCount]).toEqual([partBytes, partCount]);
    const { offsetBytes, lengthBytes } = parts.rangeOf(partCount - 1);
    expect(offsetBytes + lengthBytes).toBe(mainSizeBytes);
  });

  it('are settled as recorded, with the size that was recorded', () => {
    const settled = new Uint8Array(MAX_PARTS / 8);
    settled[1] = 0b101;
    const parts = new SettledParts(100 * MIB, { copyId: COPY_ID, partBytes: 4 * MIB, settled });
    expect(parts.allSettled()).toEqual([8, 10]);
    expect(parts.settledIn(35 * MIB, 4 * MIB)).toEqual([8]);
    expect(parts.settledIn(36 * MIB, 4 * MIB)).toEqual([]);
    expect(parts.settledIn(36 * MIB - 1, 4 * MIB + 2)).toEqual([8, 10]);
    expect(parts.bitsWithout([8])[1]).toBe(0b100);
    parts.unsettle([8, 9, 10]);
    expect(parts.isAnySettled).toBe(false);
  });

  it('are quiet where nothing changes, and unchanged until something does', () => {
    const parts = withSettled(8 * MIB, [7]);
    parts.beginChange(2 * MIB - 1, 2);
    expect(parts.quietParts((part) => part !== 4)).toEqual([0, 3, 5, 6]);
    parts.beginChange(3 * MIB, 512);
    parts.endChange(3 * MIB, 512);
    expect([0, 3].map((part) => parts.isUnchanged(part))).toEqual([true, false]);
    parts.endChange(2 * MIB - 1, 2);
  });

  it('are quiet again when nothing has changed there for a while', () => {
    const parts = withSettled(2 * MIB, []);
    const quiet = (times: number): (readonly number[])[] =>
      Array.from({ length: times }, () => parts.quietParts(() => true));
    parts.beginChange(0, 512);
    expect(quiet(9)).toEqual(new Array(9).fill([1]));
    parts.endChange(0, 512);
    expect(quiet(7)).toEqual([...new Array(5).fill([1]), [0, 1], [0, 1]]);
  });
});

describe('the samples of what is settled', () => {
  it('are its first 32 MiB and 64 places all over it, and nothing else', () => {
    const settled = withSettled(2 ** 40, [0, 1, 2, 5000]);
    const samples = samplesOf(settled);
    expect(samples).toHaveLength(32 + 64);
    for (const { offsetBytes, lengthBytes } of samples)
      expect(settled.settledIn(offsetBytes, lengthBytes)).toHaveLength(1);
    expect(samples.slice(0, 32).reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)).toBe(32 * MIB);
    expect(
      samples.slice(32).filter(({ offsetBytes }) => offsetBytes >= 5000 * settled.partBytes),
    ).toHaveLength(16);
  });

  it('end where the main device ends', () => {
    const settled = withSettled(3 * MIB + 4096, [3]);
    const samples = samplesOf(settled);
    expect(new Set(samples.map(({ offsetBytes, lengthBytes }) => offsetBytes + lengthBytes))).toEqual(
      new Set([3 * MIB + 4096]),
    );
  });

  it('are none of nothing', () => {
    expect(samplesOf(withSettled(MIB, []))).toEqual([]);
  });
});
