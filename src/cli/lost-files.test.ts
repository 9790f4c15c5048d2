import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { thisMachine } from '../boot/machine.js';
import { findLostFiles } from './lost-files.js';

let directory: string;
let image: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-lost-'));
  image = join(directory, 'image');
  writeFileSync(image, '');
  truncateSync(image, 8 << 20);
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the files of lost sectors', () => {
  it('are found on ext4, apart from free space', (context) => {
    writeFileSync(join(directory, 'letter'), Buffer.alloc(20_000, 7));
    if (spawnSync('mkfs.ext4', ['-q', '-b', '1024', image]).status !== 0) context.skip('no mkfs.ext4');
    spawnSync('debugfs', ['-w', '-R', `write ${join(directory, 'letter')} a letter`, image]);
    spawnSync('debugfs', ['-w', '-R', `write ${join(directory, 'letter')} letter`, image]);
    const { stdout } = spawnSync('debugfs', ['-R', 'blocks /letter', image], { encoding: 'utf8' });
    const block = Number(stdout.trim().split(/\s+/).at(-1));
    const sectors = [2 * block, 2 * block + 1, (8 << 20) / 512 - 1];
    const found = findLostFiles(image, sectors, thisMachine);
    expect(found).toEqual({
      ok: true,
      value: {
        files: [{ inode: expect.any(Number), path: '/letter', sectors: sectors.slice(0, 2) }],
        sectorsOfNoFile: [sectors[2]],
      },
    });
  });

  it('are not known elsewhere, and the reason is given', () => {
    expect(findLostFiles(image, [0], thisMachine)).toMatchObject({
      ok: false,
      error: expect.stringContaining('no file system that is known'),
    });
    expect(findLostFiles(join(directory, 'none'), [0], thisMachine)).toMatchObject({
      error: expect.stringContaining('ENOENT'),
    });
  });
});
