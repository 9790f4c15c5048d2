import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errnoName } from '../base/errno.js';
import { ERROR_POLICY, RETRY_DELAYS_MS } from './error-policy.js';

const page = readFileSync(new URL('../../docs/error-policy.md', import.meta.url), 'utf8');

describe('docs/error-policy.md', () => {
  it('prints the table of errors as the engine has it', () => {
    const rows = [...ERROR_POLICY].map(([errno, row]) => [
      errnoName(errno),
      row.read,
      row.write,
      row.flush,
      row.cause,
    ]);
    expect(tableUnder('errno')).toEqual(rows);
  });

  it('explains every kind of error once', () => {
    const kinds = new Set([...ERROR_POLICY.values()].flatMap((row) => [row.read, row.write, row.flush]));
    expect(
      tableUnder('kind')
        .map(([kind]) => kind)
        .sort(),
    ).toEqual([...kinds].sort());
  });

  it('prints the retries as the engine does them', () => {
    const rows = Object.entries(RETRY_DELAYS_MS).map(([name, delays]) => [name, delays.join(', ')]);
    expect(tableUnder('what')).toEqual(rows);
  });
});

/** The cells of the table whose first column has this title, without its head. */
function tableUnder(title: string): string[][] {
  const lines = page.split('\n');
  const head = lines.findIndex((line) => new RegExp(`^\\| ${title} +\\|`).test(line));
  expect(head).toBeGreaterThan(-1);
  const end = lines.findIndex((line, index) => index > head && !line.startsWith('|'));
  return lines.slice(head + 2, end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}
