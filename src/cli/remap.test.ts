import { expect, it } from 'vitest';
import type { RunningSet } from '../control/client/running-sets.js';
import { runCommandLine } from './command-line.js';
import { deviceResource } from './testing/device-resource.js';
import { fakeContext } from './testing/fake-context.js';

const LINE = ['remap', 'add', 'attic', '800'];

it('A spare without a place on it is refused, instead of being ignored', async () => {
  await expect(runCommandLine([...LINE, '--spare', '1'], world().context)).rejects.toMatchObject({
    failure: 'usage',
    message: expect.stringContaining('--spare goes with --spare-sector'),
  });
});

it.each([
  [['--spare-sector', '16'], { spareIndex: 0, spareSector: 16 }],
  [['--spare-sector', '16', '--spare', '1'], { spareIndex: 1, spareSector: 16 }],
  [[], undefined],
] as const)('asks for the place that %j means', async (options, place) => {
  const { context, wishes } = world();
  expect(await runCommandLine([...LINE, ...options], context)).toBe(0);
  expect(wishes).toEqual([{ firstSector: 800, sectorCount: 1, place }]);
});

function world() {
  const wishes: unknown[] = [];
  const client = {
    moveByHand: async (wish: unknown) => {
      wishes.push(wish);
      return { version: 1, doneCount: 1, alreadyCount: 0, refusals: [] };
    },
  };
  const set = { client, device: deviceResource() } as unknown as RunningSet;
  const { context } = fakeContext({ running: { all: async () => [set], one: async () => set } });
  return { context, wishes };
}
