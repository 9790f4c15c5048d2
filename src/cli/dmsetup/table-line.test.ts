import { describe, expect, it } from 'vitest';
import { formatCreatedAs, formatTableLine, parseCreatedAs, parseTable } from './table-line.js';

describe('a table', () => {
  it.each([
    '0 16384 remap /dev/sda /dev/sdb 0 1000',
    '0 16384 dm-remap-v4 /dev/sda /dev/sdb',
    '0 16384 dm-remap-v4-real 8:0 8:16',
    '0 16384 dm-remap main.img spare.img',
    '0 16384 remap /my\\040disk/main.img /tab\\011back\\134 0 1000',
  ])('%s: is taken, and printed as it was', (text) => {
    const line = parseTable(`# a comment\n\n  ${text.replaceAll(' ', '   ')}\n`);
    expect(line.ok && formatTableLine(line.value)).toBe(text);
    const createdAs = line.ok ? line.value.createdAs : undefined;
    expect(parseCreatedAs(formatCreatedAs(createdAs!))).toEqual(createdAs);
  });

  it('has blanks of paths in octal, as the status lines', () => {
    const line = parseTable('0 8 dm-remap /my\\040disk /a\\134b\\9');
    expect(line).toMatchObject({ ok: true, value: { main: '/my disk', spare: '/a\\b\\9' } });
  });

  it.each([
    ['', 'empty'],
    ['0 100 remap a b 0 1\n0 100 remap a b 0 1', '2 lines'],
    ['remap a b 0 1', 'expected "0 SECTORS'],
    ['0 100', 'expected "0 SECTORS'],
    ['8 100 dm-remap a b', 'starts at sector 8'],
    ['0 0 dm-remap a b', '0 sectors'],
    ['0 0x10 dm-remap a b', 'expected "0 SECTORS'],
    ['0 100 linear a 0', 'target linear'],
    ['0 100 dm-remap-v4 a', 'expected two arguments'],
    ['0 100 dm-remap-v4 a b c', 'there are 3'],
    ['0 100 remap a b', 'SPARE_START'],
    ['0 100 remap a b x 1', 'spare_start x'],
    ['0 100 remap a b 0 0', 'spare_len 0'],
    ['0 100 remap a b 0 -5', 'spare_len -5'],
  ])('%j: is refused, and says why', (text, reason) => {
    const line = parseTable(text);
    expect(line.ok ? undefined : line.error).toContain(reason);
  });

  it.each([
    '',
    'linear',
    'remap',
    'remap:0',
    'remap:0:x',
    'remap:0:1:2',
    'dm-remap:0:1',
  ])('is not told from %j', (text) => {
    expect(parseCreatedAs(text)).toBeUndefined();
  });
});
