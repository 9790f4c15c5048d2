import { describe, expect, it } from 'vitest';
import { formatCount, formatNumber } from '../base/format-count.js';
import { formatSize, parseSize } from './sizes.js';

describe('sizes', () => {
  it.each([
    ['4096', 4096],
    ['4096b', 4096],
    ['4k', 4096],
    ['4K', 4096],
    ['4KiB', 4096],
    ['4kib', 4096],
    ['16M', 16 << 20],
    ['2GiB', 2 ** 31],
    ['1T', 2 ** 40],
    ['0', 0],
  ])('%s is %i bytes', (text, sizeBytes) => {
    expect(parseSize(text)).toEqual({ ok: true, value: sizeBytes });
  });

  it.each([
    '',
    'k',
    '4kB',
    '4KB',
    '-1',
    '1.5k',
    '4 k',
    '0x10',
    '4p',
    '9999999T',
  ])('"%s" is refused', (text) => {
    expect(parseSize(text).ok).toBe(false);
  });

  it('are shown in the largest unit, with three digits at most', () => {
    expect([0, 512, 4096, 1536 << 10, 64 << 20, 4 * 10 ** 12].map(formatSize)).toEqual([
      '0 bytes',
      '512 bytes',
      '4 KiB',
      '1.50 MiB',
      '64 MiB',
      '3.64 TiB',
    ]);
  });

  it('are counted in the right number', () => {
    expect([
      formatCount(1, 'unit'),
      formatCount(0, 'unit'),
      formatCount(12345, 'copy', 'copies'),
      formatNumber(1234567),
    ]).toEqual(['1 unit', '0 units', '12,345 copies', '1,234,567']);
  });
});
