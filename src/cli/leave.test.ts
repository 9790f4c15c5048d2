import { expect, it } from 'vitest';
import type { ProtectedDevice } from '../library/device-types.js';
import { DmRemapError } from '../library/errors.js';
import { ANSWER_SCHEMAS } from './answer-schemas.js';
import { runCommandLine } from './command-line.js';
import { fakeContext, inspectReport, remapReport } from './testing/fake-context.js';

const LINE = ['leave', '--main', '/dev/sda', '--spare', '/dev/sdb'];

/** A set with two moved units that nobody serves. */
function setOfTwo(whatever: Partial<ProtectedDevice>) {
  const remaps = [800, 808].map((mainSector) => remapReport({ mainSector, sectorCount: 8 }));
  return {
    info: { setId: 'ab-12', name: 'attic' },
    remaps: async () => ({ remaps, nextSpareUnit: null }),
    ...whatever,
  } as unknown as ProtectedDevice;
}

it('Ctrl-C ends it after a unit, closes the set in order, and says how many are back', async () => {
  let interrupt = (): void => {};
  const stopSignals = {
    next: () => new Promise<'SIGINT'>((resolve) => (interrupt = () => resolve('SIGINT'))),
  };
  const asked: number[] = [];
  let isClosed = false;
  const device = setOfTwo({
    giveBack: async ({ firstSector }) => {
      asked.push(firstSector);
      interrupt();
      await new Promise(setImmediate);
      return { doneCount: 1, alreadyCount: 0, refusals: [] };
    },
    close: async () => {
      isClosed = true;
      return {} as Awaited<ReturnType<ProtectedDevice['close']>>;
    },
  });
  const { context, out, err } = fakeContext({ calls: { openDevice: async () => device }, stopSignals });
  expect(await runCommandLine([...LINE, '--json'], context)).toBe(130);
  expect([asked, isClosed]).toEqual([[800], true]);
  const answer = ANSWER_SCHEMAS.leave.strict().parse(JSON.parse(out.text));
  expect(answer).toMatchObject({ interrupted: true, returnedUnits: 1 });
  expect(err.text).toBe(
    'dmremap: attic: 1 unit came back, the others stay on the spares; call the command again to go on\n',
  );
});

it('Why a unit does not come back is said also where the set can not be closed in order then', async () => {
  const refusals = [{ mainSector: 800, reason: 'the main device takes no writes', failure: 'io' as const }];
  const device = setOfTwo({
    giveBack: async () => ({ doneCount: 0, alreadyCount: 0, refusals }),
    close: async () => {
      throw new DmRemapError('io', 'stopped, but not cleanly');
    },
  });
  const { context } = fakeContext({ calls: { openDevice: async () => device } });
  await expect(runCommandLine(LINE, context)).rejects.toMatchObject({
    failure: 'io',
    message: expect.stringMatching(
      /^attic: 2 units stay on.*sectors from 800: the main device takes no writes; nothing/,
    ),
  });
});

it('A disk that did not take the last flush is not said to hold everything, and nothing is forgotten', async () => {
  const device = setOfTwo({
    remaps: async () => ({ remaps: [], nextSpareUnit: null }),
    close: async () => ({}) as Awaited<ReturnType<ProtectedDevice['close']>>,
  });
  const inspectSpares = async () => inspectReport({ remaps: [], cleanShutdown: false });
  const { context, out } = fakeContext({ calls: { openDevice: async () => device, inspectSpares } });
  await expect(runCommandLine(LINE, context)).rejects.toMatchObject({
    failure: 'io',
    message: expect.stringMatching(
      /^attic: .* not stopped cleanly: \/dev\/sda may lack .*; nothing is forgotten/,
    ),
  });
  expect(out.text).toBe('');
});
