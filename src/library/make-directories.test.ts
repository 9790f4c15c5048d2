import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeDirectories } from './make-directories.js';

test('directories are made with those above them, and may be there already', async () => {
  const root = mkdtempSync(join(tmpdir(), 'dm-remap-directories-'));
  try {
    const path = join(root, 'a/b/c');
    await makeDirectories(path, 0o700);
    await makeDirectories(path, 0o700);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    writeFileSync(join(root, 'file'), '');
    await expect(makeDirectories(join(root, 'file'), 0o700)).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeDirectories(join(root, 'file/x'), 0o700)).rejects.toMatchObject({ code: 'ENOTDIR' });
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('where a parent takes none, that is an error and not tried for ever', async () => {
  await expect(makeDirectories('/proc/nope/deeper', 0o755)).rejects.toMatchObject({ code: 'ENOENT' });
});
