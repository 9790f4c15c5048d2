import { BlockFlag } from '../disk-faults.js';
import type { Machine } from '../machine.js';
import { intactPage, PAGE_BYTES, pageOffset, readMetadata, type SetOnDisk } from '../metadata-reader.js';
import { spareBytesAsRead } from './bytes-as-read.js';

/**
 * The first block of a copy of the metadata that is not as docs/on-disk-format.md wants it on a set where nothing is left
 * to repair, for people; undefined if there is none. Blocks that the disk can't read or write may be as they are.
 */
export function findDisagreement(machine: Machine): string | undefined {
  const spares = spareBytesAsRead(machine);
  const set = readMetadata(spares);
  if (set === undefined) return 'no superblock is left';
  for (const copyIndex of set.superblock.copies.keys()) {
    for (const { what, offsetBytes, lengthBytes, isWell } of blocksOf(machine, spares, set, copyIndex)) {
      const { spareIndex } = set.superblock.copies[copyIndex]!;
      if (!isWell() && !isFaulty(machine, 1 + spareIndex, offsetBytes, lengthBytes))
        return `copy ${copyIndex}: ${what} is not as the others'`;
    }
  }
  return undefined;
}

/** A block of a copy of the metadata can't be read, or can't be written. */
export function hasFaultyMetadata(machine: Machine): boolean {
  const { copies } = machine.layout!;
  return copies.some(({ spareIndex, offsetBytes, lengthBytes }) =>
    isFaulty(machine, 1 + spareIndex, offsetBytes, lengthBytes),
  );
}

/** A block of a copy of the metadata holds something that a power cut may take away. */
export function hasUnflushedMetadata({ layout, disks, scenario }: Machine): boolean {
  return layout!.copies.some(({ spareIndex, offsetBytes, lengthBytes }) => {
    const disk = disks[1 + spareIndex]!;
    for (let at = offsetBytes; at < offsetBytes + lengthBytes; at += scenario.blockBytes)
      if (disk.stableViewOf(at / scenario.blockBytes) !== undefined) return true;
    return false;
  });
}

interface MetadataBlock {
  readonly what: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly isWell: () => boolean;
}

function* blocksOf(
  machine: Machine,
  spares: readonly Uint8Array[],
  set: SetOnDisk,
  copyIndex: number,
): Generator<MetadataBlock> {
  const { superblock, pages } = set;
  const copy = superblock.copies[copyIndex]!;
  const spare = spares[copy.spareIndex]!;
  const page = { lengthBytes: PAGE_BYTES };
  for (const slot of [0, 1]) {
    const offsetBytes = copy.offsetBytes + slot * PAGE_BYTES;
    const isWell = (): boolean =>
      slot === superblock.sequence % 2
        ? isSameSuperblock(spare, offsetBytes, superblock)
        : !isTorn(spare, offsetBytes, 'DMREMAP\0');
    yield { ...page, what: `slot ${slot} of the superblock`, offsetBytes, isWell };
  }
  const safeCopy = superblock.copies[machine.safeCopies[copy.spareIndex]!]!;
  const noteAt = copy.offsetBytes + NOTE_OFFSET_BYTES;
  const isWell = (): boolean => sameBytes(spare, noteAt, spare, safeCopy.offsetBytes + NOTE_OFFSET_BYTES);
  yield { what: 'the note', offsetBytes: noteAt, lengthBytes: NOTE_BYTES, isWell };
  for (const { page: number, sequence, bytes, holders } of pages) {
    if (number >= copy.pageCapacity) continue;
    for (const slot of [0, 1]) {
      const offsetBytes = pageOffset(copy, number, slot);
      const isPageWell = (): boolean =>
        slot === sequence % 2
          ? holders[copyIndex]! && isSamePage(spare, offsetBytes, bytes)
          : !isTorn(spare, offsetBytes, 'DMRPAGE\0');
      yield { ...page, what: `slot ${slot} of page ${number}`, offsetBytes, isWell: isPageWell };
    }
  }
}

function isFaulty(machine: Machine, target: number, offsetBytes: number, lengthBytes: number): boolean {
  const { faults } = machine.disks[target]!;
  const { blockBytes } = machine.scenario;
  if (faults.flaggedCount === 0) return false;
  for (let at = offsetBytes; at < offsetBytes + lengthBytes; at += blockBytes) {
    if ((faults.flags(at / blockBytes) & (BlockFlag.unreadable | BlockFlag.unwritable)) !== 0) return true;
  }
  return false;
}

/** What the copies of one superblock have in common, apart from what says which copy it is. */
function isSameSuperblock(
  spare: Uint8Array,
  offset: number,
  { sequence, bytes }: SetOnDisk['superblock'],
): boolean {
  const found = intactPage(spare, offset, 'DMREMAP\0');
  if (found === undefined || found.getUint32(48, true) !== sequence % 2 ** 32) return false;
  return isSame(found, bytes, 12, 64) && isSame(found, bytes, 70, PAGE_BYTES);
}

/** From the set id on: number, sequence, generation and descriptors. */
function isSamePage(spare: Uint8Array, offset: number, bytes: DataView): boolean {
  const found = intactPage(spare, offset, 'DMRPAGE\0');
  return found !== undefined && isSame(found, bytes, 16, PAGE_BYTES);
}

function isSame(one: DataView, other: DataView, from: number, end: number): boolean {
  for (let at = from; at < end; at += 1) if (one.getUint8(at) !== other.getUint8(at)) return false;
  return true;
}

function sameBytes(one: Uint8Array, oneAt: number, other: Uint8Array, otherAt: number): boolean {
  for (let at = 0; at < NOTE_BYTES; at += 1) if (one[oneAt + at] !== other[otherAt + at]) return false;
  return true;
}

/** It begins as one of ours, and its checksum is wrong: what it holds may be newer than all that is known. */
function isTorn(spare: Uint8Array, offset: number, magic: string): boolean {
  for (let index = 0; index < 8; index += 1) {
    if (spare[offset + index] !== magic.charCodeAt(index)) return false;
  }
  return intactPage(spare, offset, magic) === undefined;
}

const NOTE_OFFSET_BYTES = 8192;
const NOTE_BYTES = 8192;
