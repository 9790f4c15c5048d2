import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { holdsCopy } from './holds-copy.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dm-remap-copy-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function ext4(name: string): string {
  const path = join(directory, name);
  writeFileSync(path, '');
  truncateSync(path, 16 << 20);
  const { status, stderr } = spawnSync('mkfs.ext4', ['-q', path], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return path;
}

it('knows a copy of a real file system, larger or not, from one that was made anew', async (context) => {
  if (spawnSync('mkfs.ext4', ['-V']).status !== 0) context.skip('no mkfs.ext4');
  const main = ext4('main.img');
  const copy = join(directory, 'copy.img');
  copyFileSync(main, copy);
  truncateSync(copy, 32 << 20);
  expect(await holdsCopy(main, copy)).toBe(true);
  expect(await holdsCopy(main, ext4('other.img'))).toBe(false);
});

it('knows none where nothing has a UUID, nor where a disk is not there', async () => {
  const paths = ['one.img', 'two.img'].map((name) => join(directory, name));
  for (const path of paths) writeFileSync(path, Buffer.alloc(1 << 20));
  expect(await holdsCopy(paths[0]!, paths[1]!)).toBe(false);
  expect(await holdsCopy(paths[0]!, join(directory, 'none.img'))).toBe(false);
});
