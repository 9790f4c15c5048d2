import { expect, it } from 'vitest';
import type { RepairReport } from '../library/metadata-types.js';
import { runCommandLine } from './command-line.js';
import { fakeContext } from './testing/fake-context.js';

const PLAN = {
  planId: 'p',
  nothingToDo: false,
  check: { state: 'damaged', problem: null },
  superblockCopies: [],
  updatesSuperblockTwice: true,
  forgetsCopying: false,
  inPlacePages: 0,
  pagesWrittenTwice: 0,
  noteCopies: [2],
  notRepairable: [],
} as unknown as RepairReport;

async function dryRun(plan: RepairReport): Promise<string> {
  const { context, err } = fakeContext({ calls: { planMetadataRepair: async () => plan } });
  expect(await runCommandLine(['metadata', 'repair', 'S', '--dry-run'], context)).toBe(8);
  return err.text;
}

it('The plan says that a copying to another disk will begin anew, and only then', async () => {
  expect(await dryRun(PLAN)).toBe(
    'plan: update the superblock of all copies twice, so that nothing hidden in a damaged block can win later\n' +
      'plan: write the text note of copy 2\n',
  );
  expect(await dryRun({ ...PLAN, forgetsCopying: true })).toMatch(
    /^plan: update the superblock of all copies twice, without how far .*: "evacuate" begins anew$/m,
  );
});
