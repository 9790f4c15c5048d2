import { relative } from 'node:path';
import { expect, it } from 'vitest';
import type { RunningSet } from '../control/client/running-sets.js';
import { runCommandLine } from './command-line.js';
import { deviceResource } from './testing/device-resource.js';
import { fakeContext } from './testing/fake-context.js';
import { jobReport } from './testing/job-report.js';

it('An emptied spare that stays one is told of, with the way back', async () => {
  const { text, calls } = await removeSpare('0', '--empty-only');
  expect(calls).toEqual(['empty 0']);
  expect(text).toMatch(/^nothing lives on spare 0 \(\/dev\/sdb\) any more/);
  expect(text).toContain('dmremap spare remove 0 --set attic --keep\n');
});

it('A spare that is used again is told of', async () => {
  const { text, calls } = await removeSpare('0', '--keep');
  expect(calls).toEqual(['keep 0']);
  expect(text).toBe('spare 0 (/dev/sdb) is used again\n');
});

it.each([
  ['--keep', true],
  ['--empty-only', false],
])('%s prints one document with --json', async (option, takesUnits) => {
  const { text } = await removeSpare('0', option, '--json');
  expect(JSON.parse(text)).toMatchObject({ version: 1, spareIndex: 0, path: '/dev/sdb', takesUnits });
});

it('A spare is found by every path that leads to it', async () => {
  const path = relative(process.cwd(), '/dev/sdb');
  expect((await removeSpare(path, '--keep')).calls).toEqual(['keep 0']);
  await expect(removeSpare('/dev/sdc', '--keep')).rejects.toThrow('it has 0 (/dev/sdb)');
});

it.each([
  [['0', '--set', 'attic', '--keep', '--empty-only'], '--keep takes a spare back'],
  [['b', '--spare', 'a', '--spare', 'b', '--keep'], 'are for a set at work'],
  [['b', '--spare', 'a', '--spare', 'b', '--empty-only'], 'are for a set at work'],
  [['b', '--spare', 'a', '--spare', 'b', '--accept-loss'], 'are for a set at work'],
])('Options that would be left undone are refused: %j', async (args, reason) => {
  const { context } = fakeContext();
  await expect(runCommandLine(['spare', 'remove', ...args], context)).rejects.toMatchObject({
    failure: 'usage',
    message: expect.stringContaining(reason),
  });
});

it('A spare that was taken out while the rest has failed is told of, with a warning', async () => {
  const { setId, name, unitBytes } = deviceResource();
  const removed = { setId, name, path: 'b', unitBytes, usableSpareUnits: 100, leftToStart: 'a: I/O error' };
  const { context, out, err } = fakeContext({ calls: { removeSpare: async () => removed } });
  const line = ['spare', 'remove', 'b', '--spare', 'a', '--spare', 'b'];
  expect(await runCommandLine(line, context)).toBe(0);
  expect(out.text).toMatch(/^b is no spare of the set any more/);
  expect(err.text).toMatch(/^dmremap: warning: .*\(a: I\/O error\); the next start makes up for it\n$/);
});

async function removeSpare(...args: string[]): Promise<{ readonly text: string; readonly calls: string[] }> {
  const calls: string[] = [];
  const done = jobReport({ state: 'done' });
  const client = {
    keepSpare: async (index: number) => void calls.push(`keep ${index}`),
    emptySpare: async (index: number) => {
      calls.push(`empty ${index}`);
      return done;
    },
    jobs: async () => [done],
  };
  const set = { client, device: deviceResource() } as unknown as RunningSet;
  const { context, out } = fakeContext({ running: { all: async () => [set], one: async () => set } });
  expect(await runCommandLine(['spare', 'remove', ...args, '--set', 'attic'], context)).toBe(0);
  return { text: out.text, calls };
}
