import { describe, expect, it } from 'vitest';
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

const REPORT = { version: 1, doneCount: 1, alreadyCount: 0 };
const FULL = { mainSector: 800, reason: 'no spare has room', failure: 'refused' };
const BROKEN = { mainSector: 808, reason: 'main device or spare did not take part', failure: 'io' };

describe.each([
  ['nothing failed', [FULL], 'refused', 4],
  ['a device did not take part', [FULL, BROKEN], 'io', 6],
] as const)('Units that stay where %s', (_what, refusals, failure, status) => {
  it.each(['add', 'release'])('are told to programs in one document: %s', async (verb) => {
    const { context, out, err } = world({ ...REPORT, refusals });
    expect(await runCommandLine(['remap', verb, 'attic', '800', '--json'], context)).toBe(status);
    expect(JSON.parse(out.text)).toMatchObject({ ...REPORT, refusals, error: { failure, status } });
    expect(err.text).toMatch(/^dmremap: sectors from \d+.* stay where they are: .*\n$/);
  });

  it('are a failure for people, too', async () => {
    const { context, out } = world({ ...REPORT, refusals });
    await expect(runCommandLine(LINE, context)).rejects.toMatchObject({ failure });
    expect(out.text).toBe('1 unit moved\n');
  });
});

function world(report: object = { version: 1, doneCount: 1, alreadyCount: 0, refusals: [] }) {
  const wishes: unknown[] = [];
  const client = {
    moveByHand: async (wish: unknown) => {
      wishes.push(wish);
      return report;
    },
    giveBack: async () => report,
  };
  const set = { client, device: deviceResource() } as unknown as RunningSet;
  const fake = fakeContext({ running: { all: async () => [set], one: async () => set } });
  return { ...fake, wishes };
}
