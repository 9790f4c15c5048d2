import { expect, it } from 'vitest';
import type { RunningSet } from '../control/client/running-sets.js';
import { runCommandLine } from './command-line.js';
import { deviceResource } from './testing/device-resource.js';
import { fakeContext, remapReport } from './testing/fake-context.js';

it('A device that is not there is a device that can not be opened, and no lack of the system', async () => {
  const client = { remaps: async () => [remapReport({ lostSectors: [5000] })] };
  const set = { client, device: deviceResource() } as unknown as RunningSet;
  const { context } = fakeContext({ running: { all: async () => [set], one: async () => set } });
  const line = ['lost', 'attic', '--files', '--device', '/nowhere/nbd0'];
  await expect(runCommandLine(line, context)).rejects.toMatchObject({
    failure: 'device',
    message: '/nowhere/nbd0: no such device or file; check the path',
  });
});
