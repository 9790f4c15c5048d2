import { expect, it } from 'vitest';
import type { ProtectedDevice } from '../library/device-types.js';
import { DmRemapError } from '../library/errors.js';
import { runCommandLine } from './command-line.js';
import { fakeContext, remapReport } from './testing/fake-context.js';

const LINE = ['leave', '--main', '/dev/sda', '--spare', '/dev/sdb'];

it('Why a unit does not come back is said also where the set can not be closed in order then', async () => {
  const remaps = [remapReport({ mainSector: 800, sectorCount: 8 })];
  const refusals = [{ mainSector: 800, reason: 'the main device takes no writes' }];
  const device = {
    info: { setId: 'ab-12', name: 'attic' },
    remaps: async () => ({ remaps, nextSpareUnit: null }),
    giveBack: async () => ({ doneCount: 0, alreadyCount: 0, refusals }),
    close: async () => {
      throw new DmRemapError('io', 'stopped, but not cleanly');
    },
  } as unknown as ProtectedDevice;
  const { context } = fakeContext({ calls: { openDevice: async () => device } });
  await expect(runCommandLine(LINE, context)).rejects.toMatchObject({
    failure: 'io',
    message: expect.stringMatching(
      /^attic: 1 unit stays on.*sectors from 800: the main device takes no writes; nothing/,
    ),
  });
});
