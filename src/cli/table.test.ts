import { describe, expect, it } from 'vitest';
import { formatFields, formatTable, wrap } from './table.js';

describe('tables', () => {
  it('align numbers to the right and texts to the left, without trailing blanks', () => {
    const rows = [
      ['a', 5, 'x'],
      ['long name', 1234, ''],
    ];
    expect(formatTable(['NAME', 'COUNT', 'NOTE'], rows)).toBe(
      'NAME       COUNT  NOTE\na              5  x\nlong name   1234\n',
    );
  });

  it('keep only their titles when there are no rows', () => {
    expect(formatTable(['A', 'B'], [])).toBe('A  B\n');
  });
});

describe('fields', () => {
  it('have their labels aligned and long texts wrapped below the text', () => {
    const text = formatFields(
      [
        ['state', 'healthy'],
        ['do', 'one two three four five six'],
      ],
      27,
    );
    expect(text).toBe('state: healthy\n   do: one two three four\n       five six\n');
  });
});

describe('wrapped text', () => {
  it('breaks at blanks only', () => {
    expect(wrap('aa bb cccccccccc dd', 5)).toEqual(['aa bb', 'cccccccccc', 'dd']);
    expect(wrap('', 5)).toEqual(['']);
  });
});
