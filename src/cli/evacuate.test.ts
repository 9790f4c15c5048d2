import { describe, expect, it } from 'vitest';
import type { RunningSet } from '../control/client/running-sets.js';
import { runCommandLine } from './command-line.js';
import type { Evacuation } from './follow-evacuation.js';
import { deviceResource } from './testing/device-resource.js';
import { evacuationReport } from './testing/evacuation-report.js';
import { fakeContext } from './testing/fake-context.js';

const LINE = ['evacuate', 'attic', '/dev/sdz', '--yes'];

describe('Ctrl-C while a set moves to another disk', () => {
  it('ends the command, which says that the copying goes on', async () => {
    const { context, out, err, calls } = world('copying');
    expect(await runCommandLine(LINE, context)).toBe(130);
    expect(err.text).toMatch(/^dmremap: the copying goes on; "dmremap evacuate attic" waits for it again/);
    expect([out.text, calls]).toEqual(['', []]);
  });

  it('ends the command also when the disk takes over, which goes on', async () => {
    const { context, out, err, calls } = world('copied');
    expect(await runCommandLine(LINE, context)).toBe(130);
    expect(err.text).toMatch(
      /^dmremap: \/dev\/sdz goes on taking over; "dmremap status attic" shows whether it is the main device/,
    );
    expect([out.text, calls]).toEqual(['', ['finish']]);
  });

  it.each(['copying', 'copied'] as const)('prints the document with how far it is (%s)', async (state) => {
    const { context, out } = world(state);
    expect(await runCommandLine([...LINE, '--json'], context)).toBe(130);
    expect(JSON.parse(out.text)).toEqual({
      ...{ version: 1, written: false, setId: deviceResource().setId, name: 'attic', interrupted: true },
      ...{ copiedBytes: 4096, evacuation: evacuationReport({ state, copiedBytes: 4096 }) },
    });
  });
});

it.each([
  '--cancel',
  '--accept-loss',
])('%s with nothing under way is a mistake of the one who asks', async (option) => {
  const client = { evacuation: async () => null, jobs: async () => [] };
  const set = { client, device: deviceResource() } as unknown as RunningSet;
  const { context } = fakeContext({ running: { all: async () => [set], one: async () => set } });
  await expect(runCommandLine(['evacuate', 'attic', option, '--yes'], context)).rejects.toMatchObject({
    failure: 'usage',
    message: 'nothing is being copied to another disk',
  });
});

it.each([
  [['--cancel', '--accept-loss'], /^--cancel gives up what --accept-loss would end/],
  [['/dev/sdq', '--cancel'], /^--cancel is for the copying that is under way; name no disk$/],
  [['/dev/sdq', '--accept-loss'], /^--accept-loss is for the copying that is under way; name no disk$/],
])('does nothing where %j may mean something else', async (options, message) => {
  await expect(
    runCommandLine(['evacuate', 'attic', ...options, '--yes'], world('copying').context),
  ).rejects.toMatchObject({ failure: 'usage', message: expect.stringMatching(message) });
});

/** Interrupted a moment after somebody looked how far it is; a disk that takes over never ends that. */
function world(state: Evacuation['state']) {
  const calls: string[] = [];
  let interrupt: (signal: 'SIGINT') => void = () => {};
  const client = {
    device: async () => deviceResource(),
    evacuate: async () => ({ version: 1, evacuation: null, device: null, sizeBytes: 0 }),
    evacuation: async () => {
      setTimeout(() => interrupt('SIGINT'));
      return evacuationReport({ state, copiedBytes: 4096 });
    },
    finishEvacuation: () => {
      calls.push('finish');
      return new Promise<never>(() => {});
    },
  };
  const set = { client, device: deviceResource() } as unknown as RunningSet;
  const faked = fakeContext({
    running: { all: async () => [set], one: async () => set },
    stopSignals: {
      next: () =>
        new Promise((resolve) => {
          interrupt = resolve;
        }),
    },
  });
  return { ...faked, calls };
}
