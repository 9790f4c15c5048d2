import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimName } from './claim-name.js';
import { fakeContext } from './testing/fake-context.js';

let runDirectory: string;
beforeEach(() => {
  runDirectory = mkdtempSync(join(tmpdir(), 'dmr-name-'));
});
afterEach(() => rmSync(runDirectory, { recursive: true }));

it('A name is had by one set at a time, and is free when that lets go of it', async () => {
  const { context } = fakeContext({ runDirectory, calls: { isProcessAlive: async () => true } });
  const claim = await claimName('at/tic', context);
  await expect(claimName('at/tic', context)).rejects.toMatchObject({
    failure: 'device',
    message: `at/tic: exists already, served by process ${process.pid}; give this set another name`,
  });
  expect(await claimName('cellar', context)).toBeDefined();
  claim?.release();
  expect(await claimName('at/tic', context)).toBeDefined();
});

it('What a killed process holds for a moment longer is waited for', async () => {
  const held = await claimName('attic', fakeContext({ runDirectory }).context);
  const isProcessAlive = async (): Promise<boolean> => {
    held?.release();
    return false;
  };
  const { context } = fakeContext({ runDirectory, calls: { isProcessAlive } });
  expect(await claimName('attic', context)).toBeDefined();
});

it('Without a name, or a run directory, nothing is claimed', async () => {
  expect(await claimName('', fakeContext({ runDirectory }).context)).toBeUndefined();
  expect(await claimName('attic', fakeContext({}).context)).toBeUndefined();
});
