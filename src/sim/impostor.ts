import { fillBlock } from './block-pattern.js';
import type { ComeBack } from './history.js';
import type { FaultParts } from './inject-fault.js';
import { pageSequenceOn, readMetadata, sequenceBeforeOn, superblockSequenceOn } from './metadata-reader.js';
import type { SimDisk } from './sim-disk.js';

/**
 * What turns up in the place of a disk that is gone and must be refused; undefined where nothing could tell it from the
 * disk itself (docs/fault-model.md).
 */
export function impostorFor(parts: FaultParts, how: ComeBack, target: number): SimDisk | undefined {
  if (how === 'afterStale') return target === 0 ? undefined : staleSpare(parts, target - 1);
  if (how !== 'afterOther') return undefined;
  // A disk with the serial number of another is that disk.
  if (target === 0) return parts.machine.scenario.hasSerials ? undefined : otherMain(parts);
  return otherSpare(parts, target - 1);
}

/** Full of what nobody wrote. */
export function otherMain({ machine }: FaultParts): SimDisk {
  const { scenario } = machine;
  const itself = machine.disks[0]!;
  const { identity, sizeBytes } = itself.geometry;
  const serial = identity.serial === '' ? '' : 'another';
  const disk = machine.makeDisk(itself, bytesOf(new Uint8Array(sizeBytes)), { ...identity, serial });
  fillWithOther(disk, scenario.blockBytes);
  return disk;
}

/** With blocks that nobody wrote, of numbers that there are. */
export function fillWithOther({ contents, view }: SimDisk, blockBytes: number): void {
  for (let at = 0; at + blockBytes <= contents.length; at += blockBytes)
    fillBlock(contents, view, at, blockBytes, at / blockBytes, OTHER_VERSION);
}

/**
 * The spare as it was two updates of its superblock ago or more, or of a page: the last one may never have been
 * acknowledged. After a flush that failed nobody knows what was durable there.
 */
export function staleSpare(parts: FaultParts, spareIndex: number): SimDisk | undefined {
  const { machine, old, excuses } = parts;
  const before = old.ofSpare(spareIndex);
  const now = machine.spareBytes[spareIndex]!;
  if (before === undefined) return undefined;
  const isBehind = superblockSequenceOn(before, spareIndex) < sequenceBeforeOn(now, spareIndex);
  if (!isBehind && (excuses.hadFlushFailure || !lacksPages(parts, before, spareIndex))) return undefined;
  const itself = machine.spares[spareIndex]!;
  return machine.makeDisk(itself, bytesOf(before.slice()), itself.geometry.identity);
}

function lacksPages({ machine }: FaultParts, before: Uint8Array, spareIndex: number): boolean {
  const set = readMetadata(machine.spareBytes);
  if (set === undefined) return false;
  const now = machine.spareBytes[spareIndex]!;
  const sequenceIn = (spare: Uint8Array, page: number): number =>
    pageSequenceOn(spare, spareIndex, set.superblock, page);
  return set.pages.some(({ page }) => {
    const was = sequenceIn(before, page);
    return was > 0 && was + 2 <= sequenceIn(now, page);
  });
}

/** The bytes of the spare beside it, or nothing at all. */
function otherSpare({ machine }: FaultParts, spareIndex: number): SimDisk {
  const { spareBytes, spares } = machine;
  const contents = new Uint8Array(spareBytes[spareIndex]!.length);
  const neighbour = spareBytes[(spareIndex + 1) % spareBytes.length]!;
  if (spareBytes.length > 1) contents.set(neighbour.subarray(0, contents.length));
  const itself = spares[spareIndex]!;
  return machine.makeDisk(itself, bytesOf(contents), itself.geometry.identity);
}

function bytesOf(contents: Uint8Array): { readonly contents: Uint8Array; readonly stable: Uint8Array } {
  return { contents, stable: new Uint8Array(contents.length) };
}

/** No client writes so often. */
const OTHER_VERSION = 0x7fff0000;
