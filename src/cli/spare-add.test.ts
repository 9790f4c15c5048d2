import { describe, expect, it } from 'vitest';
import type { RunningSet } from '../control/client/running-sets.js';
import { runCommandLine } from './command-line.js';
import { deviceResource } from './testing/device-resource.js';
import { fakeContext } from './testing/fake-context.js';

const NEVER = new Promise<never>(() => {});
const PLAN = {
  ...{ setId: deviceResource().setId, name: 'attic', spareIndex: 1, unitBytes: 4096 },
  device: { path: '/dev/sdd', sizeBytes: 1 << 20, model: '', serial: '', signature: null },
  ...{ usableSpareUnitsBefore: 100, usableSpareUnits: 150 },
};
const ANSWER = { version: 1, ...PLAN };
const LINE = ['spare', 'add', '/dev/sdd', '--set', 'attic', '--yes'];

describe('a set at work gets another spare', () => {
  it('and somebody does not wait for the answer: told what goes on, and how to see it', async () => {
    const { context, out, err } = world(NEVER);
    expect(await runCommandLine(LINE, context)).toBe(130);
    expect(err.text).toMatch(
      /^dmremap: .* goes on adding \/dev\/sdd; "dmremap status attic" shows whether it is a spare by now: .*\n$/,
    );
    expect(out.text).toBe('');
  });

  it('and somebody does not wait until it is served again: told that it is a spare', async () => {
    const { context, out, err } = world(Promise.resolve(ANSWER));
    expect(await runCommandLine(LINE, context)).toBe(130);
    expect(err.text).toMatch(
      /^dmremap: \/dev\/sdd is spare 1 of the set, which is being opened again; .*give --spare \/dev\/sdd behind the others\n$/,
    );
    expect(out.text).toBe('');
  });

  it.each([
    [NEVER, false],
    [Promise.resolve(ANSWER), true],
  ])('and a program that is interrupted has a document all the same', async (answer, written) => {
    const { context, out } = world(answer);
    expect(await runCommandLine([...LINE, '--json'], context)).toBe(130);
    expect(JSON.parse(out.text)).toMatchObject({
      ...{ version: 1, written, interrupted: true },
      ...{ spareIndex: 1, device: { path: '/dev/sdd' }, usableSpareUnits: 150 },
    });
  });
});

it('A spare that was added while the rest has failed is told of, with a warning', async () => {
  const { context, out, err } = fakeContext({
    calls: {
      addSpare: async () => ({ ...PLAN, leftToStart: 'b.img: I/O error' }),
      planAddSpare: async () => PLAN,
    },
  });
  const line = ['spare', 'add', '/dev/sdd', '--main', 'a.img', '--spare', 'b.img', '--yes'];
  expect(await runCommandLine(line, context)).toBe(0);
  expect(out.text).toMatch(/^\/dev\/sdd is spare 1 of the set now/);
  expect(err.text).toMatch(/^dmremap: warning: .*\(b\.img: I\/O error\); the next start makes up for it\n$/);
});

/** Interrupted a moment after the spare was asked for; the set never comes back with it. */
function world(answer: Promise<typeof ANSWER>) {
  let interrupt: (signal: 'SIGINT') => void = () => {};
  const client = {
    addSpare: ({ dryRun }: { readonly dryRun?: boolean }) => {
      if (dryRun) return Promise.resolve(ANSWER);
      setTimeout(() => interrupt('SIGINT'));
      return answer;
    },
  };
  const set = { client, device: deviceResource() } as unknown as RunningSet;
  return fakeContext({
    running: { all: async () => [set], one: async () => set },
    stopSignals: {
      next: () =>
        new Promise((resolve) => {
          interrupt = resolve;
        }),
    },
    calls: { isProcessAlive: async () => true },
  });
}
