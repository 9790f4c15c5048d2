import type { FaultStep } from './history.js';
import type { FaultParts } from './inject-fault.js';
import type { CopyOnDisk, SetOnDisk } from './metadata-reader.js';
import { PAGE_BYTES, pageOffset, readMetadata } from './metadata-reader.js';

/**
 * Damages one page of one copy, on the disk or only in what is read of it. Not the safe copy of a spare, and only while
 * the safe copies have the newest of everything: what has no other copy can't survive.
 */
export function damageMetadata(parts: FaultParts, drawn: MetadataStep): void {
  const { machine, old, ledger } = parts;
  const { safeCopies } = machine;
  const set = readMetadata(machine.spareBytes);
  if (set === undefined) return;
  const step = { ...drawn, copy: drawn.copy % set.superblock.copies.length };
  if (safeCopies.includes(step.copy) || !isSafeUpToDate(set, safeCopies)) return;
  const copy = set.superblock.copies[step.copy]!;
  const offset = placeOf(copy, step, set);
  const disk = machine.disks[1 + copy.spareIndex]!;
  const now = disk.contents.slice(offset, offset + PAGE_BYTES);
  const older = old.ofSpare(copy.spareIndex)?.slice(offset, offset + PAGE_BYTES) ?? now;
  const elsewhere = placeElsewhere(step, set);
  const other = machine.spareBytes[elsewhere.spareIndex]!.slice(
    elsewhere.offsetBytes,
    elsewhere.offsetBytes + PAGE_BYTES,
  );
  const damaged = damagedBytes(step, now, older, other);
  ledger.noteMetadataTrouble(1 + copy.spareIndex, offset, false);
  if (step.what.startsWith('lie')) disk.lies.set(offset, damaged);
  else disk.overwrite(offset, damaged);
}

function damagedBytes(
  { what, at }: MetadataStep,
  now: Uint8Array,
  older: Uint8Array,
  other: Uint8Array,
): Uint8Array {
  switch (what) {
    case 'flip':
    case 'lieFlip': {
      const flipped = now.slice();
      flipped[at % PAGE_BYTES]! ^= 1 << (at & 7);
      return flipped;
    }
    case 'zero':
      return new Uint8Array(PAGE_BYTES);
    case 'stale':
    case 'lieStale':
      return older;
    case 'swap':
    case 'lieSwap':
      return other;
  }
}

/** Page -1 is the superblock, and so is one that the copy has no place for. */
function placeOf(copy: CopyOnDisk, { page, at }: MetadataStep, set: SetOnDisk): number {
  const slot = at & 1;
  const number = set.pages[page]?.page ?? copy.pageCapacity;
  return number < copy.pageCapacity ? pageOffset(copy, number, slot) : copy.offsetBytes + slot * PAGE_BYTES;
}

/** Another block of the metadata: of another page, often the first, which has most in it; of another copy; of the other slot. */
function placeElsewhere(
  { copy, page, at }: MetadataStep,
  { superblock, pages }: SetOnDisk,
): { readonly spareIndex: number; readonly offsetBytes: number } {
  const slot = at & 1;
  const isOfThisCopy = (at & 2) !== 0;
  const from = superblock.copies[isOfThisCopy ? copy : (copy + (at >> 5)) % superblock.copies.length]!;
  const { spareIndex } = from;
  const other = pages[(at & 4) !== 0 ? 0 : (page + (at >> 5)) % pages.length];
  if (page === -1 || other === undefined || other.page >= from.pageCapacity)
    return { spareIndex, offsetBytes: from.offsetBytes + (1 - slot) * PAGE_BYTES };
  const isOfThisSlot = (at & 24) !== 0;
  return { spareIndex, offsetBytes: pageOffset(from, other.page, isOfThisSlot ? slot : 1 - slot) };
}

function isSafeUpToDate(set: SetOnDisk, safeCopies: readonly number[]): boolean {
  return set.pages.every(({ holders }) => safeCopies.every((copy) => holders[copy] === true));
}

type MetadataStep = Extract<FaultStep, { kind: 'metadata' }>;
