import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ArchiveDirectory } from './archive-directory.js';
import { openDevice } from './open-device.js';
import { refuseLostArchive } from './refuse-lost-archive.js';

const ID = '0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0';
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dm-remap-archive-'));
});

afterEach(() => rmSync(root, { recursive: true }));

it('An archive below a directory that is missing is refused before anything is opened', async () => {
  const options = { main: join(root, 'no-main'), spares: [join(root, 'no-spare')] };
  await expect(openDevice({ ...options, archive: join(root, 'stick/maps') })).rejects.toMatchObject({
    failure: 'device',
    message: expect.stringContaining(`the directory ${join(root, 'stick')} is not there`),
  });
  await refuseLostArchive(join(root, 'maps'));
});

it('An archive makes its own directory, and none above it', async () => {
  const add = (path: string) => new ArchiveDirectory(path).add({ setId: ID, generation: 1 }, ['text']);
  expect(await add(join(root, 'stick/maps'))).toMatch(/can't be written \(ENOENT\)$/);
  expect(existsSync(join(root, 'stick'))).toBe(false);
  expect(await add(join(root, 'maps'))).toBeUndefined();
});
