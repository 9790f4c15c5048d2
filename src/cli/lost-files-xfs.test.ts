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
  directory = mkdtempSync(join(tmpdir(), 'dmr-lost-xfs-'));
  image = join(directory, 'image');
  writeFileSync(image, '');
  truncateSync(image, IMAGE_BYTES);
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the files of lost sectors on XFS', () => {
  it.for([
    1024, 4096,
  ])('are found by name, apart from free space and what is of XFS itself: blocks of %i', (blockBytes, context) => {
    if (!makeFileSystem(blockBytes)) context.skip('no mkfs.xfs');
    const letter = firstSectorOf('/letter', blockBytes);
    const deep = firstSectorOf('/below/a/deep', blockBytes);
    const superblock = 1;
    const free = IMAGE_BYTES / 512 - 1;
    const sectors = [letter, letter + 1, letter + 16, deep, superblock, free];
    expect(findLostFiles(image, sectors, thisMachine)).toEqual({
      ok: true,
      value: {
        files: [
          { inode: expect.any(Number), path: '/letter', sectors: [letter, letter + 1, letter + 16] },
          { inode: expect.any(Number), path: '/below/a/deep', sectors: [deep] },
        ],
        sectorsOfNoFile: [superblock, free],
      },
    });
  });

  it('are not known without the tool, or where that finds no file system, and the reason is given', (context) => {
    writeFileSync(image, 'XFSB'.padEnd(70_000, '\0'));
    const without = { ...thisMachine, outputOf: () => undefined };
    expect(findLostFiles(image, [0], without)).toMatchObject({
      ok: false,
      error: `${image}: holds XFS, and xfs_db is not there: install xfsprogs`,
    });
    if (thisMachine.outputOf('xfs_db', ['-V']) === undefined) context.skip('no xfs_db');
    expect(findLostFiles(image, [0], thisMachine)).toMatchObject({
      ok: false,
      error: expect.stringContaining("xfs_db can't read the start of the file system"),
    });
  });
});

const IMAGE_BYTES = 320 << 20;

/** With files in it, and without mounting it. */
function makeFileSystem(blockBytes: number): boolean {
  const contents = join(directory, 'contents');
  writeFileSync(contents, Buffer.alloc(20_000, 7));
  const prototype = join(directory, 'prototype');
  const lines = ['/none', '0 0', 'd--755 0 0', `letter ---644 0 0 ${contents}`];
  const below = ['below d--755 0 0', 'a d--755 0 0', `deep ---644 0 0 ${contents}`, '$', '$', '$'];
  writeFileSync(prototype, `${[...lines, ...below].join('\n')}\n`);
  const { status } = spawnSync('mkfs.xfs', ['-q', '-b', `size=${blockBytes}`, '-p', prototype, image]);
  return status === 0;
}

/** As `bmap` says it: blocks of the file system are numbered by groups. */
function firstSectorOf(path: string, blockBytes: number): number {
  const place = ['-r', '-c', `path ${path}`, '-c', 'bmap', '-c', 'sb 0', '-c', 'print agblocks', image];
  const { stdout } = spawnSync('xfs_db', place, { encoding: 'utf8' });
  const [, group, block] = /startblock \d+ \((\d+)\/(\d+)\)/.exec(stdout)!;
  const groupBlocks = Number(/agblocks = (\d+)/.exec(stdout)![1]);
  return (Number(group) * groupBlocks + Number(block)) * (blockBytes / 512);
}
