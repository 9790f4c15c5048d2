import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../base/assert.js';
import { DmRemapError } from '../library/errors.js';
import { EXIT_STATUS, EXIT_STATUS_MEANING, type ExitStatusName, exitStatusOf } from './exit-status.js';
import { reportError } from './report-error.js';
import { recordingOutput } from './testing/fake-context.js';

describe('exit statuses', () => {
  it('are documented as they are', () => {
    const page = readFileSync(new URL('../../docs/exit-codes.md', import.meta.url), 'utf8');
    const documented = [...page.matchAll(/^\| (\d+) +\| (\w+) +\| (.*?) +\|$/gm)].map(
      ([, status, name, meaning]) => ({
        status: Number(status),
        name,
        meaning: meaning!.replaceAll('\\|', '|'),
      }),
    );
    const names = Object.keys(EXIT_STATUS) as ExitStatusName[];
    expect(documented).toEqual(
      names.map((name) => ({ status: EXIT_STATUS[name], name, meaning: EXIT_STATUS_MEANING[name] })),
    );
  });

  it('are different for every meaning', () => {
    expect(new Set(Object.values(EXIT_STATUS)).size).toBe(Object.keys(EXIT_STATUS).length);
  });

  it('follow from the class of a failure; anything unknown is a bug', () => {
    expect(exitStatusOf(new DmRemapError('refused', 'x'))).toBe(4);
    expect(exitStatusOf(new InvariantError('x'))).toBe(70);
    expect(exitStatusOf('x')).toBe(70);
  });
});

describe('an error', () => {
  it('is one line, whatever its message holds', () => {
    const output = recordingOutput();
    reportError(new DmRemapError('usage', 'faults.yaml:3: one\n  faults.yaml:4: two\n'), output, true);
    expect(output.text).toBe('dmremap: faults.yaml:3: one; faults.yaml:4: two\n');
    const other = recordingOutput();
    reportError(new DmRemapError('usage', 'a.txt:1: "\u001b[2J\u0000" is not known'), other, true);
    expect(other.text).toBe('dmremap: a.txt:1: "?[2J?" is not known\n');
  });

  it('that is a bug asks for a report, and shows its stack only when asked', () => {
    const quiet = recordingOutput();
    reportError(new InvariantError('the table is sorted'), quiet, false);
    expect(quiet.text).toMatch(/^dmremap: a bug .*please report.*the table is sorted\n$/);
    const loud = recordingOutput();
    reportError(new InvariantError('the table is sorted'), loud, true);
    expect(loud.text).toContain('exit-status.test.ts');
  });
});
