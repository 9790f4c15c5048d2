import { describe, expect, it } from 'vitest';
import { formatSectorRanges } from './sector-ranges.js';

describe('sector ranges', () => {
  it('are inclusive and merge neighbours', () => {
    expect(formatSectorRanges([5, 6, 7, 9], 1)).toBe('5-7,9');
    expect(formatSectorRanges([0, 8, 24], 8)).toBe('0-15,24-31');
    expect(formatSectorRanges([], 1)).toBe('');
  });
});
