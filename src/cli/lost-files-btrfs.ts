import { failed, ok, type Result } from '../base/result.js';
import { SECTOR_BYTES } from '../base/units.js';
import type { Machine } from '../boot/machine.js';
import type { LostFile, LostFiles } from './lost-files.js';

/**
 * By btrfs(8): the chunk tree says which of the file system's own addresses a place on the disk has, and the kernel, where
 * the file system is mounted, whose that address is. Of a block that files or snapshots share the first one is named.
 */
export function findBtrfsFiles(
  path: string,
  sectors: readonly number[],
  machine: Machine,
): Result<LostFiles, string> {
  const inspect: Inspect = (...args) => machine.outputOf('btrfs', ['inspect-internal', ...args]);
  const head = inspect('dump-super', path);
  if (head === undefined) return failed(`${path}: holds btrfs, and btrfs is not there: install btrfs-progs`);
  const deviceId = Number(/^dev_item\.devid\s+(\d+)$/m.exec(head)?.[1] ?? 0);
  const chunks = chunksIn(inspect('dump-tree', '-t', 'chunk', path) ?? '');
  if (deviceId === 0 || chunks.length === 0)
    return failed(
      `${path}: btrfs can't read where the file system keeps what; check it (btrfs check --readonly)`,
    );
  const mountPoint = machine.mountPointOf(path, 'btrfs');
  if (mountPoint === undefined)
    return failed(
      `${path}: holds btrfs, which names files only where it is mounted; mount it, read-only will do`,
    );
  // To others the kernel says nothing of any address, as if all of it were free.
  if (process.geteuid?.() !== 0) return failed(`${path}: holds btrfs, which names files for root only`);
  const places: Place[] = sectors.map((sector) => ({
    sector,
    address: addressOf(sector * SECTOR_BYTES, deviceId, chunks),
  }));
  if (places.some(({ address }) => address === 'striped'))
    return failed(`${path}: btrfs spreads the data over several disks, which is not followed from here`);
  return ok(filesOf(places, mountPoint, inspect));
}

/** Undefined: the program is not there. */
type Inspect = (...args: string[]) => string | undefined;

/** Addresses that follow each other, and where they are. */
interface Chunk {
  readonly address: number;
  readonly lengthBytes: number;
  /** Every place has all of it. */
  readonly isWhole: boolean;
  readonly places: readonly { readonly deviceId: number; readonly offsetBytes: number }[];
}

function chunksIn(tree: string): Chunk[] {
  return tree.split(/^\titem \d+ key /m).flatMap((item) => {
    const address = /^\(FIRST_CHUNK_TREE CHUNK_ITEM (\d+)\)/.exec(item);
    const facts = /\blength (\d+) .*\btype (\S+)/.exec(item);
    if (address === null || facts === null) return [];
    const places = [...item.matchAll(/\bstripe \d+ devid (\d+) offset (\d+)/g)];
    return {
      address: Number(address[1]),
      lengthBytes: Number(facts[1]),
      isWhole: !/RAID(0|10|5|6)\b/.test(facts[2]!),
      places: places.map(([, id, offset]) => ({ deviceId: Number(id), offsetBytes: Number(offset) })),
    };
  });
}

/** Undefined: nothing is kept there. */
function addressOf(
  offsetBytes: number,
  deviceId: number,
  chunks: readonly Chunk[],
): number | 'striped' | undefined {
  for (const chunk of chunks)
    for (const place of chunk.places) {
      const within = offsetBytes - place.offsetBytes;
      if (place.deviceId !== deviceId || within < 0 || within >= chunk.lengthBytes) continue;
      return chunk.isWhole ? chunk.address + within : 'striped';
    }
  return undefined;
}

interface Place {
  readonly sector: number;
  readonly address: number | 'striped' | undefined;
}

function filesOf(places: readonly Place[], mountPoint: string, inspect: Inspect): LostFiles {
  const files = new Map<string, LostFile>();
  const sectorsOfNoFile: number[] = [];
  const owners = new Map<number, string | undefined>();
  for (const { sector, address } of places) {
    const block = typeof address === 'number' ? address - (address % BLOCK_BYTES) : undefined;
    if (block !== undefined && !owners.has(block)) owners.set(block, ownerOf(block, mountPoint, inspect));
    const owner = block === undefined ? undefined : owners.get(block);
    if (owner === undefined) {
      sectorsOfNoFile.push(sector);
      continue;
    }
    const known = files.get(owner) ?? {
      inode: Number(owner.split(' ')[0]),
      path: pathAt(block!, mountPoint, inspect),
      sectors: [],
    };
    files.set(owner, { ...known, sectors: [...known.sectors, sector] });
  }
  return { files: [...files.values()], sectorsOfNoFile };
}

/** Inode and subvolume: inodes are counted by subvolume. Undefined: free, or of btrfs itself. */
function ownerOf(address: number, mountPoint: string, inspect: Inspect): string | undefined {
  const output = inspect('logical-resolve', '-P', String(address), mountPoint) ?? '';
  const found = /^inode (\d+) offset \d+ root (\d+)/m.exec(output);
  return found === null ? undefined : `${found[1]} ${found[2]}`;
}

/** Below the mount point; null: in a subvolume that can't be seen from there. */
function pathAt(address: number, mountPoint: string, inspect: Inspect): string | null {
  const root = mountPoint.endsWith('/') ? mountPoint : `${mountPoint}/`;
  const output = inspect('logical-resolve', String(address), mountPoint) ?? '';
  // It names files of a subvolume only where that is mounted by itself.
  const unnamed = /^inode (\d+) subvol (.+) could not be accessed/m.exec(output);
  const names = unnamed === null ? output : inspect('inode-resolve', unnamed[1]!, `${root}${unnamed[2]}`);
  const line = names?.split('\n').find((each) => each.startsWith(root));
  return line === undefined ? null : `/${line.slice(root.length).replace(/^\/+/, '')}`;
}

/** The smallest that btrfs has. */
const BLOCK_BYTES = 4096;
