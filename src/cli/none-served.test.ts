import { expect, it } from 'vitest';
import { runCommandLine } from './command-line.js';
import { fakeContext } from './testing/fake-context.js';

it.each(['list', 'status'])('%s says where sets are found that nobody serves', async (command) => {
  const running = { all: async () => [], one: () => Promise.reject(new Error('not asked for')) };
  const { context, out, err } = fakeContext({ running });
  expect(await runCommandLine([command], context)).toBe(0);
  expect(out.text).toBe('');
  expect(err.text).toMatch(/^dmremap: no set is served on this machine; "dmremap scan" .*\n$/);
});

it.each([
  [['list'], 3],
  [['status'], 3],
  [['status', '--test'], 4],
  [['ls'], 3],
  [['info'], 3],
  [['table'], 3],
  [['remove', '--all'], 3],
])('%j does not say that none is served where some could not be asked', async (line, status) => {
  const running = { all: async () => [], silent: new Set(['/run/dm-remap/x.sock']) };
  const { context, out, err } = fakeContext({ running });
  expect(await runCommandLine(line, context)).toBe(status);
  expect(out.text + err.text).toBe('');
});
