import { describe, expect, it } from 'vitest';
import { coloured } from './output.js';
import { formatFields, formatTable, wrap } from './table.js';
import { fakeContext } from './testing/fake-context.js';

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

describe('texts of disks', () => {
  const evil = 'a\nb\u001b]0;title\u0007\u009b31m\u007f\u202ec';
  it('reach no terminal with what it would obey, and fake no line', () => {
    expect(formatFields([['set', evil]], 80)).toBe('set: a?b?]0;title??31m??c\n');
    expect(formatTable(['NAME'], [[evil]])).toBe('NAME\na?b?]0;title??31m??c\n');
  });

  it('keep the colours that a command gives them', () => {
    const { out } = fakeContext();
    const red = coloured({ ...out, hasColour: true }, 'red', 'FAILED');
    expect(formatFields([['state', red]], 80)).toBe(`state: ${red}\n`);
  });
});

describe('wrapped text', () => {
  it('breaks at blanks only', () => {
    expect(wrap('aa bb cccccccccc dd', 5)).toEqual(['aa bb', 'cccccccccc', 'dd']);
    expect(wrap('', 5)).toEqual(['']);
  });
});
