import { failed, ok, type Result } from '../base/result.js';
import { SECTOR_BYTES } from '../base/units.js';
import type { Machine } from '../boot/machine.js';
import { inParts } from './command-line-parts.js';
import type { LostFiles } from './lost-files.js';

/** By debugfs(8), on ext2, ext3 and ext4. */
export function findExtFiles(
  path: string,
  sectors: readonly number[],
  machine: Machine,
): Result<LostFiles, string> {
  const ask = (request: string): string => machine.run('debugfs', ['-R', request, path]).output;
  const blockBytes = Number(/^Block size: +(\d+)$/m.exec(ask('stats -h'))?.[1] ?? 0);
  if (blockBytes === 0)
    return failed(`${path}: debugfs did not answer; install e2fsprogs, and check the file system`);
  const inodeOf = new Map<number, number | null>();
  const blocks = [...new Set(sectors.map((sector) => Math.floor((sector * SECTOR_BYTES) / blockBytes)))];
  for (const part of inParts(blocks))
    for (const [, block, inode] of ask(`icheck ${part.join(' ')}`).matchAll(/^(\d+)\t(\d+|<.*>)$/gm))
      inodeOf.set(Number(block), /^\d+$/.test(inode!) ? Number(inode) : null);
  if (blocks.some((block) => !inodeOf.has(block)))
    return failed(`${path}: debugfs did not say whose all blocks are`);
  const inodes = [...new Set(inodeOf.values())].filter((inode) => inode !== null);
  const names = new Map<number, string>();
  for (const part of inParts(inodes))
    for (const [, inode, name] of ask(`ncheck ${part.join(' ')}`).matchAll(/^(\d+)\t(.+)$/gm))
      if (!names.has(Number(inode))) names.set(Number(inode), name!.replace(/^\/+/, '/'));
  const sectorsOf = (inode: number | null): number[] =>
    sectors.filter((sector) => inodeOf.get(Math.floor((sector * SECTOR_BYTES) / blockBytes)) === inode);
  const files = inodes.map((inode) => ({ inode, path: names.get(inode) ?? null, sectors: sectorsOf(inode) }));
  return ok({ files, sectorsOfNoFile: sectorsOf(null) });
}
