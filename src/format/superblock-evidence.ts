import type { Result } from '../base/result.js';
import { superblockOffsetBytes } from './layout.js';
import { sameUuid } from './set-id.js';
import type { DecodedSuperblock, SuperblockRefusal } from './superblock-codec.js';

/** One device that was named as a spare, read at every anchor (`superblockAnchors`). */
export interface ScannedDevice {
  readonly sizeBytes: number;
  readonly candidates: readonly SuperblockCandidate[];
}

/** 4096 bytes from one anchor, judged; 'unreadable' when the device gave an error instead. */
export interface SuperblockCandidate {
  readonly offsetBytes: number;
  readonly found: Result<DecodedSuperblock, SuperblockRefusal | 'unreadable'>;
}

/**
 * By device: the superblocks that tell which spare it is. A single one that claims to be of another spare of the set is
 * a misdirected write to a place that this spare happens to have as well: it is left out where two others or more say
 * who the device is, or where another device is that spare and none is this one.
 */
export function identifyingSuperblocks(
  devices: readonly ScannedDevice[],
): readonly (readonly DecodedSuperblock[])[] {
  const found = devices.map(superblocksInPlace);
  return found.map((own, deviceIndex) => {
    const others = found.filter((_, index) => index !== deviceIndex);
    return own.filter((each) => !isMisdirected(each, own, others));
  });
}

function isMisdirected(
  suspect: DecodedSuperblock,
  own: readonly DecodedSuperblock[],
  others: readonly (readonly DecodedSuperblock[])[],
): boolean {
  const rest = own.filter((each) => each !== suspect);
  const [first] = rest;
  if (first === undefined || !rest.every((each) => isOfSpare(each, first))) return false;
  if (!isOfSameSet(first, suspect) || isOfSpare(first, suspect)) return false;
  const claimsThis = (found: readonly DecodedSuperblock[]): boolean =>
    found.some((each) => isOfSpare(each, first));
  const isThatSpare = (found: readonly DecodedSuperblock[]): boolean =>
    found.length > 0 && found.every((each) => isOfSpare(each, suspect));
  return rest.length > 1 || (others.some(isThatSpare) && !others.some(claimsThis));
}

function isOfSpare(one: DecodedSuperblock, other: DecodedSuperblock): boolean {
  return isOfSameSet(one, other) && sameUuid(spareIdOf(one), spareIdOf(other));
}

function isOfSameSet(one: DecodedSuperblock, other: DecodedSuperblock): boolean {
  return sameUuid(one.superblock.setId, other.superblock.setId);
}

function spareIdOf({ superblock, spareIndex }: DecodedSuperblock): Uint8Array {
  return superblock.spares[spareIndex]!.uuid;
}

/** A superblock at another place than its own is a misdirected write, or a copy of a part of a disk: not evidence. */
export function superblocksInPlace(device: ScannedDevice): readonly DecodedSuperblock[] {
  return device.candidates.flatMap(({ offsetBytes, found }) => {
    if (!found.ok) return [];
    const copy = found.value.superblock.copies[found.value.copyIndex]!;
    return superblockOffsetBytes(copy, found.value.slot) === offsetBytes ? [found.value] : [];
  });
}

/** Where intact copies of the newest contradict each other, one that more than half of them agree with, if any. */
export function newestOf(found: readonly DecodedSuperblock[]): DecodedSuperblock | undefined {
  let newest: DecodedSuperblock | undefined;
  for (const next of found) if (newest === undefined || isNewer(next, newest)) newest = next;
  return newest && (majorityOf(rivalsOf(found, newest)) ?? newest);
}

/** No number is used twice (rule W2), so this is damage that a checksum did not find, or somebody's doing. */
export function isContested(found: readonly DecodedSuperblock[], newest: DecodedSuperblock): boolean {
  return majorityOf(rivalsOf(found, newest)) === undefined;
}

function rivalsOf(found: readonly DecodedSuperblock[], newest: DecodedSuperblock): DecodedSuperblock[] {
  return found.filter((each) => !isNewer(each, newest) && !isNewer(newest, each));
}

function majorityOf(rivals: readonly DecodedSuperblock[]): DecodedSuperblock | undefined {
  const countOf = ({ contentCrc }: DecodedSuperblock): number =>
    rivals.filter((each) => each.contentCrc === contentCrc).length;
  return rivals.find((each) => countOf(each) * 2 > rivals.length);
}

/** By sequence. Two of one sequence come from an update that was cut off and made again: the later one counts. */
function isNewer(one: DecodedSuperblock, other: DecodedSuperblock): boolean {
  const [a, b] = [one.superblock, other.superblock];
  if (a.sequence !== b.sequence) return a.sequence > b.sequence;
  if (a.generation !== b.generation) return a.generation > b.generation;
  return a.updatedSeconds > b.updatedSeconds;
}

export function distinctSetIds(found: readonly DecodedSuperblock[]): readonly Uint8Array[] {
  const distinct: Uint8Array[] = [];
  for (const { superblock } of found) {
    if (!distinct.some((setId) => sameUuid(setId, superblock.setId))) distinct.push(superblock.setId);
  }
  return distinct;
}

/**
 * Two devices that went on separately: of the newest sequence number that both have, no copy of the one tells the same
 * story as one of the other. A single copy may tell another story than its neighbours of a number that was used again,
 * where it could not be read meanwhile (rule R2); so may one of a number that later ones have gone over.
 */
export function findDivergence(
  foundOnDevices: readonly (readonly DecodedSuperblock[])[],
): Divergence | undefined {
  const stories = foundOnDevices.map(storiesBySequence);
  for (const [index, own] of stories.entries()) {
    for (let otherIndex = index + 1; otherIndex < stories.length; otherIndex += 1) {
      const other = stories[otherIndex]!;
      const sequence = Math.max(...[...own.keys()].filter((each) => other.has(each)));
      if (
        Number.isFinite(sequence) &&
        ![...own.get(sequence)!].some((story) => other.get(sequence)!.has(story))
      )
        return { deviceIndexes: [index, otherIndex], sequence };
    }
  }
  return undefined;
}

export interface Divergence {
  readonly deviceIndexes: readonly [number, number];
  readonly sequence: number;
}

/** By sequence number, the `contentCrc` of all that have it. */
function storiesBySequence(found: readonly DecodedSuperblock[]): ReadonlyMap<number, ReadonlySet<number>> {
  const stories = new Map<number, Set<number>>();
  for (const { superblock, contentCrc } of found) {
    const known = stories.get(superblock.sequence) ?? new Set();
    stories.set(superblock.sequence, known.add(contentCrc));
  }
  return stories;
}
