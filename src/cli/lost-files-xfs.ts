import { failed, ok, type Result } from '../base/result.js';
import { SECTOR_BYTES } from '../base/units.js';
import type { Machine } from '../boot/machine.js';
import { inParts } from './command-line-parts.js';
import type { LostFile, LostFiles } from './lost-files.js';

/**
 * By xfs_db(8), which reads all metadata of an XFS file system to know whose a block is, and never the block itself: that
 * can't be read. The file system need not be mounted; of one that is, what has not left the log yet is not seen.
 */
export function findXfsFiles(
  path: string,
  sectors: readonly number[],
  machine: Machine,
): Result<LostFiles, string> {
  const ask: Ask = (...commands) =>
    machine.outputOf('xfs_db', ['-r', ...commands.flatMap((command) => ['-c', command]), path]);
  const head = ask('sb 0', 'print blocksize agblocks agblklog');
  if (head === undefined) return failed(`${path}: holds XFS, and xfs_db is not there: install xfsprogs`);
  const geometry = geometryIn(head);
  if (geometry === undefined)
    return failed(`${path}: xfs_db can't read the start of the file system; check it (xfs_repair -n)`);
  const blockOf = (sector: number): number => Math.floor((sector * SECTOR_BYTES) / geometry.blockBytes);
  const inodes = inodesOf([...new Set(sectors.map(blockOf))], geometry, ask);
  if (inodes === undefined)
    return failed(`${path}: xfs_db did not say whose all blocks are; check the file system (xfs_repair -n)`);
  const names = namesOf([...new Set(inodes.values())], ask);
  return ok(grouped(sectors, (sector) => inodes.get(blockOf(sector)), names));
}

/** Undefined: the program is not there. */
type Ask = (...commands: string[]) => string | undefined;

interface Geometry {
  readonly blockBytes: number;
  /** Blocks of an allocation group, and by how many bits its number is shifted in that of a block. */
  readonly groupBlocks: number;
  readonly groupShift: number;
}

function geometryIn(head: string): Geometry | undefined {
  const [blockBytes, groupBlocks, groupShift] = ['blocksize', 'agblocks', 'agblklog'].map((name) =>
    Number(new RegExp(`^${name} = (\\d+)$`, 'm').exec(head)?.[1] ?? 0),
  );
  if (!blockBytes || !groupBlocks || !groupShift) return undefined;
  return { blockBytes, groupBlocks, groupShift };
}

/** By block from the start of the device, those of files only; undefined where the metadata does not speak of all blocks. */
function inodesOf(
  blocks: readonly number[],
  { groupBlocks, groupShift }: Geometry,
  ask: Ask,
): Map<number, number> | undefined {
  const inodes = new Map<number, number>();
  const known = new Set<number>();
  const blockAt = (group: string, block: string): number => Number(group) * groupBlocks + Number(block);
  for (const part of inParts(blocks)) {
    const numbers = part.map(
      (block) => Math.floor(block / groupBlocks) * 2 ** groupShift + (block % groupBlocks),
    );
    const output = ask(`blockget -n ${numbers.map((number) => `-b ${number}`).join(' ')}`) ?? '';
    for (const [, group, block] of output.matchAll(/^setting block (\d+)\/(\d+) to /gm))
      known.add(blockAt(group!, block!));
    for (const [, inode, group, block] of output.matchAll(
      /^setting inode to (\d+) for block (\d+)\/(\d+)$/gm,
    ))
      inodes.set(blockAt(group!, block!), Number(inode));
  }
  return blocks.every((block) => known.has(block)) ? inodes : undefined;
}

/** One name of each, where it has one. */
function namesOf(inodes: readonly number[], ask: Ask): Map<number, string> {
  const names = new Map<number, string>();
  for (const part of inParts(inodes)) {
    const output = ask('blockget -n', `ncheck ${part.map((inode) => `-i ${inode}`).join(' ')}`) ?? '';
    for (const [, inode, name] of output.matchAll(/^ *(\d+) (.+)$/gm))
      if (!names.has(Number(inode))) names.set(Number(inode), `/${name}`);
  }
  return names;
}

function grouped(
  sectors: readonly number[],
  inodeOf: (sector: number) => number | undefined,
  names: ReadonlyMap<number, string>,
): LostFiles {
  const files = new Map<number, LostFile>();
  const sectorsOfNoFile: number[] = [];
  for (const sector of sectors) {
    const inode = inodeOf(sector);
    if (inode === undefined) sectorsOfNoFile.push(sector);
    else {
      const known = files.get(inode)?.sectors ?? [];
      files.set(inode, { inode, path: names.get(inode) ?? null, sectors: [...known, sector] });
    }
  }
  return { files: [...files.values()], sectorsOfNoFile };
}
