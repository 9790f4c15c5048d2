import { describe, expect, it } from 'vitest';
import type { RunningSet } from '../control/client/running-sets.js';
import { restoreHint } from '../library/restore-hint.js';
import { type AddedSpare, interruptedText, neededText } from './add-spare-at-work.js';
import { runCommandLine } from './command-line.js';
import { evacuatedText, mainAdvice } from './evacuate-text.js';
import { migratedText } from './migrate-text.js';
import { statusText } from './status-text.js';
import { deviceResource } from './testing/device-resource.js';
import { fakeContext } from './testing/fake-context.js';
import { jobReport } from './testing/job-report.js';

const OUT = { isTerminal: false, hasColour: false, columns: 1000, write: () => undefined };
const NAME = 'my attic';
const device = deviceResource({ name: NAME });

describe('A command that is printed can be given to a shell, with blanks in', () => {
  it('the name, where events are shown', () => {
    const event = { number: 1, timeMs: 0, level: 'warning', name: 'x', message: 'm' };
    const text = statusText(device, [event] as unknown as Parameters<typeof statusText>[1], OUT);
    expect(text).toContain("(all: dmremap events 'my attic')");
  });

  it('the name, where a set is to be stopped first', async () => {
    const set = { client: {}, device } as unknown as RunningSet;
    const { context } = fakeContext({ running: { all: async () => [set] } });
    await expect(runCommandLine(['forget', NAME], context)).rejects.toThrow("dmremap stop 'my attic'");
  });

  it('the name, where an emptied spare stays one', async () => {
    const done = jobReport({ state: 'done' });
    const client = { emptySpare: async () => done, jobs: async () => [done] };
    const set = { client, device } as unknown as RunningSet;
    const { context, out } = fakeContext({ running: { one: async () => set } });
    await runCommandLine(['spare', 'remove', '0', '--empty-only', '--set', NAME], context);
    expect(out.text).toContain("dmremap spare remove 0 --set 'my attic' --keep\n");
  });

  it('the name, where something goes on', () => {
    const added = { done: { device: { path: 'k 9' } }, interruptedWhile: 'adding' } as unknown as AddedSpare;
    expect(interruptedText(added, NAME)).toContain(`"dmremap status 'my attic'" shows`);
  });

  it('the name, where data is lost', () => {
    const replaced = { device: { path: 'new disk' }, unitsWithLostBlocks: 1 };
    const text = evacuatedText(replaced as Parameters<typeof evacuatedText>[0], device, NAME, undefined);
    expect(text).toContain(`see "dmremap lost 'my attic'"`);
  });

  it('a path', () => {
    const moved = { ...device, written: true, from: 'a b', to: 'k 9.img', movedUnits: 1 };
    expect(migratedText(moved, undefined)).toContain("give --spare 'k 9.img', and no more for a b");
    expect(neededText('/x/k 9.img')).toContain("give --spare '/x/k 9.img' behind");
    expect(mainAdvice('/x/k 9.img')).toContain("give --main '/x/k 9.img':");
    expect(restoreHint(undefined, ['k 9.img'])).toContain("SETID_TIME_gN.txt 'k 9.img'\"");
  });
});
