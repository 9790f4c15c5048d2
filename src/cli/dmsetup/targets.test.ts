import { expect, it } from 'vitest';
import { runCommandLine } from '../command-line.js';
import { fakeContext } from '../testing/fake-context.js';
import { parseTable } from './table-line.js';

it('Each target that is listed is one that a table may have, with a version as dmsetup prints it', async () => {
  const { context, out } = fakeContext();
  expect(await runCommandLine(['targets'], context)).toBe(0);
  expect(out.text).toMatch(/^dm-remap-v4 {6}v4\.0\.0$/m);
  const names = out.text
    .trimEnd()
    .split('\n')
    .map((line) => /^(\S+) +v\d+\.\d+\.\d+$/.exec(line)![1]!);
  const refusal = parseTable('0 8 linear /dev/sda 0');
  expect(refusal.ok ? '' : refusal.error).toContain(`expected one of ${names.join(', ')}`);
});
