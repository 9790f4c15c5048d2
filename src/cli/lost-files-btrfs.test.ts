import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Machine, thisMachine } from '../boot/machine.js';
import { findLostFiles } from './lost-files.js';

let directory: string;
let image: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmr-lost-btrfs-'));
  image = join(directory, 'image');
  writeFileSync(image, '');
  truncateSync(image, 128 << 20);
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Without mounting it. */
function makeFileSystem(): boolean {
  const root = join(directory, 'root');
  mkdirSync(root);
  writeFileSync(join(root, 'letter'), Buffer.alloc(100_000, 7));
  return spawnSync('mkfs.btrfs', ['-q', '--rootdir', root, image]).status === 0;
}

/** The chunk tree is read from the image; what only a mounted file system says is made up (`lost-files` in the laboratory). */
function mountedAt(point: string, answers: Readonly<Record<string, string>>): Machine {
  return {
    ...thisMachine,
    mountPointOf: () => point,
    outputOf: (command, args) => {
      if (args[1]?.startsWith('dump') === true) return thisMachine.outputOf(command, args);
      expect(args.at(-1)).toMatch(/^\/mnt\/x/);
      return answers[args.slice(2).join(' ')] ?? '';
    },
  };
}

describe('the files of lost sectors on btrfs', () => {
  it('are those that the kernel names for the addresses in the chunks, apart from what is of none', (context) => {
    if (process.geteuid?.() !== 0) context.skip('only root is told whose an address is');
    if (!makeFileSystem()) context.skip('no mkfs.btrfs');
    const tree = thisMachine.outputOf('btrfs', ['inspect-internal', 'dump-tree', '-t', 'chunk', image])!;
    const chunk = /CHUNK_ITEM (\d+)\)[^(]*type DATA\|single[^(]*stripe 0 devid 1 offset (\d+)/.exec(tree)!;
    const [address, offsetBytes] = [Number(chunk[1]), Number(chunk[2])];
    const machine = mountedAt('/mnt/x', {
      [`-P ${address + 4096} /mnt/x`]: 'inode 257 offset 4096 root 5\ninode 300 offset 0 root 256\n',
      [`${address + 4096} /mnt/x`]: '/mnt/x/letter\n/mnt/x/snapshot/letter\n',
      [`-P ${address + 8192} /mnt/x`]: 'inode 258 offset 0 root 260\n',
      [`${address + 8192} /mnt/x`]: 'inode 258 subvol a/below could not be accessed: not mounted\n',
      '258 /mnt/x/a/below': '/mnt/x/a/below/deep\n',
      [`-P ${address + 12288} /mnt/x`]: 'inode 259 offset 0 root 261\n',
      [`${address + 12288} /mnt/x`]: 'inode 259 subvol other could not be accessed: not mounted\n',
    });
    const first = (offsetBytes + 4096) / 512;
    const sectors = [first, first + 7, first + 8, first + 16, first + 24, 1];
    expect(findLostFiles(image, sectors, machine)).toEqual({
      ok: true,
      value: {
        files: [
          { inode: 257, path: '/letter', sectors: [first, first + 7] },
          { inode: 258, path: '/a/below/deep', sectors: [first + 8] },
          { inode: 259, path: null, sectors: [first + 16] },
        ],
        sectorsOfNoFile: [first + 24, 1],
      },
    });
  });

  it('are not known where it is not mounted, or can not be read, or the tool is missing', (context) => {
    const head = Buffer.alloc(70_000);
    head.write('_BHRfS_M', 65_600);
    writeFileSync(image, head);
    const without = { ...thisMachine, outputOf: () => undefined };
    expect(findLostFiles(image, [0], without)).toMatchObject({
      error: expect.stringContaining('install btrfs-progs'),
    });
    if (thisMachine.outputOf('btrfs', ['--version']) === undefined) context.skip('no btrfs');
    expect(findLostFiles(image, [0], thisMachine)).toMatchObject({
      error: expect.stringContaining("can't read where the file system keeps what"),
    });
    truncateSync(image, 0);
    truncateSync(image, 128 << 20);
    if (!makeFileSystem()) context.skip('no mkfs.btrfs');
    expect(findLostFiles(image, [0], thisMachine)).toMatchObject({
      error: expect.stringContaining('mount it, read-only will do'),
    });
  });
});
