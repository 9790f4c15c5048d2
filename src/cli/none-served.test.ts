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
