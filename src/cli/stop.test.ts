import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunningSet } from '../control/client/running-sets.js';
import { leaveSocket } from '../control/testing/abandoned-socket.js';
import { noteUncleanStop, takeUncleanStop } from '../control/unclean-stop.js';
import { runCommandLine } from './command-line.js';
import { deviceResource } from './testing/device-resource.js';
import { fakeContext, inspectReport } from './testing/fake-context.js';

test('dmremap stop removes the control socket that the killed process of the set left', async () => {
  const { setId } = inspectReport();
  const runDirectory = mkdtempSync(join(tmpdir(), 'dm-remap-stop-'));
  try {
    await leaveSocket(join(runDirectory, `${setId}.sock`));
    await leaveSocket(join(runDirectory, 'another.sock'));
    const stopped: unknown[] = [];
    const stopBlockDevice = async (...request: unknown[]) => {
      stopped.push(request);
      return { setId };
    };
    const { context } = fakeContext({ runDirectory, calls: { stopBlockDevice } });
    expect(await runCommandLine(['stop', '--force', '/dev/ublkb0'], context)).toBe(0);
    expect(stopped).toEqual([['/dev/ublkb0', { force: true }]]);
    expect(readdirSync(runDirectory)).toEqual(['another.sock']);
  } finally {
    rmSync(runDirectory, { recursive: true });
  }
});

test('dmremap stop ends a set that is served over NBD by its name, unless somebody uses it', async () => {
  const ended: number[] = [];
  const stop = (connections: number, ...args: string[]) => {
    const set = { device: deviceResource({ connections }) } as RunningSet;
    const { context } = fakeContext({
      running: { all: async () => [set], one: async () => set },
      calls: { endProcess: async (processId) => void ended.push(processId) },
    });
    return runCommandLine(['stop', 'attic', ...args], context);
  };
  await expect(stop(2)).rejects.toMatchObject({
    failure: 'refused',
    message: expect.stringContaining('2 NBD'),
  });
  expect(ended).toEqual([]);
  expect(await stop(0)).toBe(0);
  expect(await stop(2, '--force')).toBe(0);
  expect(ended).toEqual([4711, 4711]);
});

const UNCLEAN = { failure: 'io', message: 'stopped, but not cleanly: the last flush failed' } as const;

/** Its process ends as it is asked to, and notes that this was not clean. */
async function stopUncleanly(runDirectory: string, ...line: string[]) {
  const set = { device: deviceResource() } as RunningSet;
  const end = () => noteUncleanStop(runDirectory, set.device.setId, UNCLEAN);
  const { context, out } = fakeContext({
    runDirectory,
    running: { all: async () => [set], one: async () => set },
    calls: {
      endProcess: end,
      stopBlockDevice: async () => {
        await end();
        return { setId: set.device.setId };
      },
    },
  });
  const outcome = await runCommandLine(line, context).catch((error: Error) => error);
  // Once: the next stop has a word of its own.
  expect(await takeUncleanStop(runDirectory, set.device.setId)).toBeUndefined();
  return { outcome, text: out.text };
}

test.each([
  [['stop', 'attic'], 'attic'],
  [['stop', '/dev/ublkb0'], '/dev/ublkb0'],
  [['remove', 'attic'], 'attic'],
  [['remove', '--all'], 'attic'],
])('dmremap %j tells of a stop that was not clean', async (line, label) => {
  const runDirectory = mkdtempSync(join(tmpdir(), 'dm-remap-stop-'));
  try {
    const { outcome } = await stopUncleanly(runDirectory, ...line);
    expect(outcome).toMatchObject({ failure: 'io', message: `${label}: ${UNCLEAN.message}` });
    const { outcome: status, text } = await stopUncleanly(runDirectory, 'remove', 'attic', '--json');
    expect(status).toBe(6);
    expect(JSON.parse(text).sets).toMatchObject([
      { outcome: 'removed', problem: `attic: ${UNCLEAN.message}` },
    ]);
  } finally {
    rmSync(runDirectory, { recursive: true });
  }
});
