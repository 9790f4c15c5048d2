import { expect, it } from 'vitest';
import type { RunningSet } from '../control/client/running-sets.js';
import { runCommandLine } from './command-line.js';
import { deviceResource } from './testing/device-resource.js';
import { fakeContext, remapReport } from './testing/fake-context.js';

it('remaps asks the process that serves a set which is called by its name', async () => {
  const client = { remaps: async () => [remapReport()] };
  const set = { client, device: deviceResource() } as unknown as RunningSet;
  const { context, out } = fakeContext({ running: { all: async () => [set], one: async () => set } });
  expect(await runCommandLine(['remaps', 'attic', '--json'], context)).toBe(0);
  expect(JSON.parse(out.text)).toMatchObject({ name: 'attic', remaps: [{ mainSector: 5000 }] });
});
